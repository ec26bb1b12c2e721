"""What the audit says to people and to programs."""

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from operations.__main__ import parser
from operations.audit.command import exit_code, run
from operations.audit.report import AuditReport, Difference, FindingKind
from operations.audit.tables import show
from operations.databases import DatabaseEnvironment
from operations.errors import OperatorError
from operations.output import Output
from tests.audited import Settled

LOST = tuple(
    Difference(FindingKind.NOT_HANDLED, "SubscriptionCreated", f"customer-{n}", 1, "the-queue")
    for n in range(5)
)
TWICE = Difference(
    FindingKind.TWO_EVENTS, "StockAllocated", "customer-9", 1, "the-bus", event_id="event-9"
)


@pytest.fixture
def report() -> AuditReport:
    world = Settled()
    world.subscribe("a")
    return world.report()


def printed(report: AuditReport, *, limit: int = 20) -> str:
    stdout = StringIO()
    show(report, Output(stdout=stdout), limit=limit)
    return stdout.getvalue()


def test_a_balanced_audit_ends_in_a_sentence_that_says_so(report: AuditReport) -> None:
    """With how much was committed, and in which time."""
    last = printed(report).splitlines()[-1]

    assert (
        last == "2026-11-23 09:00:00 to 2026-11-23 10:00:00: 3 events committed;"
        " every event is accounted for"
    )


def test_each_kind_of_difference_has_a_table_with_ids(report: AuditReport) -> None:
    """A table for each kind, each line with what to look for and where."""
    text = printed(replace(report, differences=(*LOST, TWICE)))

    assert "published, not handled: 5" in text
    assert "two events for one change: 1" in text
    assert all(f"customer-{n}" in text for n in range(5))
    assert text.splitlines()[-1].endswith("6 differences, above")


def test_a_long_table_is_cut_and_says_how_much_there_is(report: AuditReport) -> None:
    """People see the first ones; a program gets all of them."""
    text = printed(replace(report, differences=LOST), limit=2)

    assert "customer-1" in text
    assert "customer-2" not in text
    assert "and 3 more: --limit, or --json for all of them" in text


def test_the_exit_code_tells_a_difference_and_what_did_not_settle(report: AuditReport) -> None:
    """Being in flight is no difference, unless somebody wanted to wait for the end of it."""
    flying = replace(report, suspects=(TWICE,))

    assert exit_code(report, settle=0) == exit_code(report, settle=60) == 0
    assert exit_code(replace(report, differences=LOST), settle=0) == 1
    assert (exit_code(flying, settle=0), exit_code(flying, settle=60)) == (0, 1)


def test_a_range_that_the_logs_have_forgotten_is_refused() -> None:
    """Else everything in it would be called lost."""
    environment = DatabaseEnvironment(
        "eu-west-1",
        None,
        Path("unused"),
        mongodb_uri="mongodb://localhost",
        mongodb_database="payments",
    )
    arguments = parser().parse_args(["audit", "--from", "31d ago"])

    with pytest.raises(OperatorError, match="30 days"):
        run(environment, arguments, Output())
