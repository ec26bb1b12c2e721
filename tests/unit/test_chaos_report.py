"""The verdict of a chaos run: what turns it red."""

import base64
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from operations.audit.report import AuditReport, Difference, EventCount
from operations.audit.report import FindingKind as Gap
from verification.chaos.ledger import Ledger, Promise
from verification.chaos.malformed_rows import Accounted, name_in
from verification.chaos.report import ChaosReport
from verification.chaos.settling import SettledState
from verification.chaos.states import difference
from verification.testkit.injected_fault import FaultKind

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
CLEAN = AuditReport(
    since=NOW,
    until=NOW,
    events={"SubscriptionCreated": EventCount(committed=1, published=1, duplicates=2)},
    deliveries=(),
    differences=(),
)
MISSING = Difference(Gap.NOT_HANDLED, "StockAllocated", "one", 1, "stock-event-bus")
GHOST = Difference(Gap.NOT_COMMITTED, "StockAllocated", "ghost", 1, "stock-event-bus")
MORE_OR_FEWER = "1 commits more or fewer than promises"
ACTIVE = Promise("one", quantity=2, account_number="12345678")
States = dict[str, dict[str, Any]]

KEPT: States = {
    "subscription": {"status": "active", "quantity": 2},
    "stock": {"status": "allocated", "stock": 24},
    "payment": {"status": "active", "accountNumber": "12345678"},
}
UNDONE: States = {
    "subscription": {"status": "cancelled", "cancelledReason": "payment cancelled"},
    "stock": {"status": "deallocated", "stock": 0},
    "payment": {"status": "cancelled"},
}


def counted(event_type: str, **counts: int) -> AuditReport:
    return replace(CLEAN, events={event_type: EventCount(**counts)})


@pytest.fixture
def good() -> ChaosReport:
    """A run with one subscription, after which everything was as it should be."""
    ledger = Ledger()
    ledger.sent("POST /subscriptions")
    ledger.promised(ACTIVE)
    return ChaosReport(
        command="make chaos MINUTES=10 SEED=1",
        seed=1,
        seconds=600,
        ledger=ledger,
        injected={(FaultKind.KILL, "mongod"): 1, (FaultKind.CUT, "aws"): 2},
        hits={FaultKind.CUT: 7, None: 100},
        missed={(FaultKind.DROP, "aws"): 1},
        clocks={"stock-relay": -90.0, "stock-api": 0.0},
        died={},
        unanswered=0,
        settled_state=SettledState(3.0),
        audit=CLEAN,
    )


def test_a_run_with_nothing_lost_and_nothing_wrong_passes(good: ChaosReport) -> None:
    """Events that were published twice are what at-least-once means: no reason to fail."""
    assert good.failures == []
    text = good.markdown()
    assert "| verdict | **nothing lost, nothing wrong** |" in text
    assert "| faults injected | 3, and 1 that hit nothing |" in text
    assert "| published more than once | 2 |" in text
    assert "| cut | 2 | 7 requests |" in text
    assert "stock-relay -90 s" in text


@pytest.mark.parametrize("gap", [Gap.NOT_PUBLISHED, Gap.NOT_ON_NEXT_BUS, Gap.NOT_HANDLED])
def test_a_lost_event_turns_it_red_and_is_named(good: ChaosReport, gap: Gap) -> None:
    """Committed and not published, or published and not handled: both are lost."""
    lost = Difference(gap, "SubscriptionCreated", "lost-one", 1, "subscriptions-event-bus")
    red = replace(good, audit=replace(CLEAN, differences=(lost,)))
    assert red.failures == ["1 events lost", "audit not clean"]
    assert "lost-one" in red.markdown()


def test_a_wrong_state_turns_it_red_and_is_named(good: ChaosReport) -> None:
    """What the APIs say in the end is what was promised, for every subscription."""
    red = replace(good, settled_state=SettledState(300, {"odd-one": "stock has stock 12"}))
    assert red.failures == ["1 promises broken", "not settled"]
    assert "odd-one: stock has stock 12" in red.markdown()


def test_malformed_rows_have_to_be_dead_letters(good: ChaosReport) -> None:
    """Each of them, with a reason; what else is in those queues turns the run red as ever."""
    settled_state = SettledState(3, dead_letters={"stock-dlq": 3})
    found = Accounted(
        {"malformed-0001"},
        {"malformed-0001", "malformed-0002"},
        messages=Counter({"stock-dlq": 3}),
    )
    kept = replace(good, settled_state=settled_state, malformed_rows=found)
    assert kept.failures == []
    assert "| malformed rows written by a raw driver | 1 |" in kept.markdown()
    lost = replace(found, written={"malformed-0001", "malformed-0003"})
    silent = replace(found, unexplained=1)
    for broken in (lost, silent):
        red = replace(kept, malformed_rows=broken)
        assert red.failures == ["1 malformed rows not accounted for"]
    other = replace(kept, settled_state=SettledState(3, dead_letters={"stock-dlq": 4}))
    assert other.failures == ["1 messages dead-lettered"]


def test_a_malformed_row_is_known_by_its_name_in_any_body() -> None:
    """As plain JSON, and in base64 of BSON; any other dead letter is none of them."""
    encoded = base64.b64encode(b"..malformed-0007..").decode()
    bson = {"bodyEncoding": {"StringValue": "base64-bson"}}
    assert name_in({"Body": encoded, "MessageAttributes": bson}) == "malformed-0007"
    assert name_in({"Body": '{"aggregateId":"malformed-0007"}'}) == "malformed-0007"
    assert name_in({"Body": encoded}) is None


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        ({"settled_state": SettledState(300, waiting={"outbox stock-relay": 4})}, "not settled"),
        ({"unanswered": 2}, "2 promises broken"),
        ({"audit": replace(CLEAN, events={}), "why_no_audit": "logs away"}, "no audit: logs away"),
        ({"ledger": Ledger(), "audit": replace(CLEAN, events={})}, "nothing was promised"),
        ({"audit": replace(CLEAN, suspects=(MISSING,))}, "1 events still on their way"),
        # Any difference of the audit, also one that is no loss.
        ({"audit": replace(CLEAN, differences=(GHOST,))}, "audit not clean"),
        # An outage is not poison, and no client sent any.
        (
            {"settled_state": SettledState(3, dead_letters={"payment-cancelled-dlq": 1})},
            "1 messages dead-lettered",
        ),
        ({"audit": counted("StockAllocated", set_aside=1)}, "1 messages dead-lettered"),
        # A subscription that a second request made again balances, and nobody asked for it.
        ({"audit": counted("SubscriptionCreated", committed=0)}, MORE_OR_FEWER),
        ({"audit": counted("SubscriptionCreated", committed=2, published=2)}, MORE_OR_FEWER),
    ],
)
def test_any_other_failure_turns_it_red_too(
    good: ChaosReport, changes: Mapping[str, object], failure: str
) -> None:
    """What still waits, what nobody answered, and books that could not be read are no success."""
    assert replace(good, **changes).failures == [failure]  # type: ignore[arg-type]


def test_an_answer_that_breaks_a_promise_turns_it_red(good: ChaosReport) -> None:
    """A subscription that was answered is there at once, and no request fails for good."""
    good.ledger.report_broken("GET /subscriptions/one answered 404: ")
    assert good.failures == ["1 promises broken"]
    assert "answered 404" in good.markdown()


def test_a_subscription_is_as_it_was_promised() -> None:
    """Active with a year of stock, or undone in all three services."""
    assert difference(ACTIVE, KEPT) == ""
    assert difference(replace(ACTIVE, cancelled_by="bank"), UNDONE) == ""


def test_a_rejected_subscription_has_ended_in_all_three() -> None:
    """Who ended it first is left open; a debit that is left is a difference."""
    rejected = UNDONE | {"stock": {"status": "rejected", "stock": 0, "asked": 12 * ACTIVE.quantity}}
    assert difference(ACTIVE, rejected, is_rejected=True) == ""
    assert "stock" in difference(ACTIVE, rejected)
    left = rejected | {"payment": KEPT["payment"]}
    assert "payment" in difference(ACTIVE, left, is_rejected=True)


@pytest.mark.parametrize("service", ["subscription", "stock", "payment"])
def test_a_subscription_that_differs_in_one_service_is_told(service: str) -> None:
    """Each service is asked, and one that knows nothing is as wrong as one that knows better."""
    for promise, right, wrong in (
        (ACTIVE, KEPT, UNDONE),
        (replace(ACTIVE, cancelled_by="bank"), UNDONE, KEPT),
    ):
        assert service in difference(promise, right | {service: wrong[service]})
        assert service in difference(promise, right | {service: {}})
