"""A wish for a replay is checked before anything is started; what came of it is counted after."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from operations.environment import Environment
from operations.errors import NoSuchName, OperatorError
from operations.replay import command
from operations.replay.replay import Progress, request_of

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
HOUR = (NOW - timedelta(hours=2), NOW - timedelta(hours=1))
AWS = Environment(
    region="eu-west-1",
    endpoint_url=None,
    audit_file=Path("unused"),
)
EMULATOR = replace(AWS, endpoint_url="http://localhost:4566")


def test_a_bus_is_replayed_from_its_own_archive_to_all_or_some_of_its_rules() -> None:
    """The topology knows which archive is a bus's."""
    rules = ["SubscriptionCreatedRule", "SubscriptionCreatedRule"]

    request = request_of(AWS, "stock-event-bus", HOUR, rules, now=NOW)

    assert request.archive.name == "stock-bus-archive"
    assert request.rules == ("SubscriptionCreatedRule",)
    assert (request.since, request.until) == HOUR


def test_a_range_ends_now_at_the_latest() -> None:
    """The future is in no archive."""
    span = (HOUR[0], NOW + timedelta(days=1))

    assert request_of(AWS, "stock-event-bus", span, [], now=NOW).until == NOW


def test_a_name_that_is_not_there_is_answered_with_close_ones() -> None:
    """For a bus, and for a rule, which may be another bus's."""
    with pytest.raises(NoSuchName, match="did you mean stock-event-bus"):
        request_of(AWS, "stock-events-bus", HOUR, [], now=NOW)
    with pytest.raises(NoSuchName, match=r"rule on stock-event-bus.*PaymentCancelledRule"):
        request_of(AWS, "stock-event-bus", HOUR, ["PaymentCanceledRule"], now=NOW)
    with pytest.raises(NoSuchName, match="CancelSubscriptionRule"):
        request_of(AWS, "stock-event-bus", HOUR, ["CancelSubscriptionRule"], now=NOW)


def test_what_the_archive_has_forgotten_cannot_be_replayed() -> None:
    """20 days for stock, a year for payments."""
    span = (NOW - timedelta(days=21), NOW)

    with pytest.raises(OperatorError, match="stock-bus-archive keeps 20 days"):
        request_of(AWS, "stock-event-bus", span, [], now=NOW)
    assert request_of(AWS, "payments-event-bus", span, [], now=NOW).since == span[0]


def test_an_emulator_that_ignores_rules_is_not_asked_to_heed_them() -> None:
    """It would send the events to every rule, which is not what was asked for."""
    with pytest.raises(OperatorError, match="leave --rule away"):
        request_of(EMULATOR, "stock-event-bus", HOUR, ["SubscriptionCreatedRule"], now=NOW)


def test_a_rule_that_its_archive_has_nothing_for_is_refused() -> None:
    """Payments' archive keeps what payments published; what came to it is in its source's."""
    with pytest.raises(OperatorError) as refused:
        request_of(AWS, "payments-event-bus", HOUR, ["CreatePaymentRule"], now=NOW)
    assert str(refused.value) == (
        "payments-bus-archive keeps nothing for CreatePaymentRule: replay the bus of its source,"
        " app.subscriptions"
    )
    rules = ["PaymentsToStockRule"]
    assert request_of(AWS, "payments-event-bus", HOUR, rules, now=NOW).rules == tuple(rules)


class Counting:
    """A replay of which the log shows one count after the other, and then always the last."""

    def __init__(self, counts: Iterable[int]) -> None:
        self._counts = list(counts)

    def came(self) -> Counter[str]:
        first, *rest = self._counts
        self._counts = rest or [first]
        return +Counter({"StockAllocated": first})


@pytest.mark.parametrize(
    ("counts", "reached", "logged", "expected"),
    [
        ([0, 0, 1, 2, 2], None, 0, 2),  # a line that is late
        ([0] * 20 + [3], None, 1, 3),  # very late, but the log says that there is something
        ([0] * 20 + [3], NOW, 0, 3),  # or EventBridge does
        ([0] * 20 + [3], None, 0, 0),
        ([0], NOW, 1, 0),  # it ends
    ],
)
def test_a_late_line_is_waited_for_where_one_is_expected(
    counts: list[int],
    reached: datetime | None,
    logged: int,
    expected: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else a slow log would make a replay one of nothing."""
    monkeypatch.setattr(command, "sleep", lambda _: None)
    ended, before = Progress("COMPLETED", "", reached), +Counter({"StockAllocated": logged})

    came = command._settled(Counting(counts), ended, before)  # type: ignore[arg-type]

    assert came.total() == expected
