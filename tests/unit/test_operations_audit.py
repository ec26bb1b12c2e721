"""The books: a settled system balances, and each way of losing, doubling or inventing is found."""

from dataclasses import replace
from datetime import timedelta

import pytest

from operations.audit.report import FindingKind
from operations.audit.snapshot import CommittedRow
from operations.sources.bus_logs import Unreadable
from operations.sources.ledger import AggregateState, EventKey
from tests.audited import SINCE, UNTIL, Settled

CREATED = EventKey("SubscriptionCreated", "b", 1)
ALLOCATED = EventKey("StockAllocated", "b", 1)
PAID = EventKey("PaymentCreated", "b", 1)
CANCELLED = EventKey("PaymentCancelled", "c", 2)


@pytest.fixture
def settled() -> Settled:
    """Three customers, one of whom has cancelled."""
    world = Settled()
    for name in ("a", "b", "c"):
        world.subscribe(name)
    world.cancel("c")
    return world


def test_a_settled_system_balances(settled: Settled) -> None:
    """Everything committed is published, everything published handled, nothing in flight."""
    report = settled.report()

    assert (report.clean, report.in_flight, report.dead_lettered) == (True, 0, 0)
    created, cancelled = report.events["SubscriptionCreated"], report.events["PaymentCancelled"]
    assert (created.committed, created.published) == (3, 3)
    assert (cancelled.committed, cancelled.published) == (1, 1)
    found = {(each.rule, each.expected, each.arrived) for each in report.deliveries}
    assert {each for each in found if each[1:] != (0, 0)} == {
        ("SubscriptionToStockRule", 3, 3),
        ("SubscriptionToPaymentsRule", 3, 3),
        ("SubscriptionCreatedRule", 3, 3),
        ("CreatePaymentRule", 3, 3),
        ("PaymentsToStockRule", 1, 1),
        ("PaymentsToSubscriptionsRule", 1, 1),
        ("PaymentCancelledRule", 1, 1),
        ("CancelSubscriptionRule", 1, 1),
    }


def test_a_commit_without_its_event_is_found(settled: Settled) -> None:
    """P2: neither in an outbox nor on its bus nor set aside."""
    settled.unpublish(ALLOCATED)

    assert settled.found() == [(FindingKind.NOT_PUBLISHED, *ALLOCATED, "stock-outbox")]
    assert settled.report().events["StockAllocated"].published == 2


def test_an_event_in_its_outbox_is_pending(settled: Settled) -> None:
    """It is committed and on its way, and counts as in flight."""
    settled.unpublish(ALLOCATED)
    settled.rows[ALLOCATED] = CommittedRow("stock", "event-1", SINCE + timedelta(seconds=1))

    report = settled.report()

    assert (report.clean, report.in_flight) == (True, 1)
    assert report.events["StockAllocated"].pending == 1


def test_an_event_that_the_relay_set_aside_is_accounted_for(settled: Settled) -> None:
    """It is in the dead-letter queue of its outbox, and not in flight."""
    settled.unpublish(ALLOCATED)
    settled.dead.append(("stock-dlq", ALLOCATED))

    report = settled.report()

    assert (report.clean, report.in_flight, report.dead_lettered) == (True, 0, 1)


def test_an_event_may_be_one_of_those_in_the_queue_before_the_bus(settled: Settled) -> None:
    """A queue is only counted: as long as it holds as many as are missing, they may be there."""
    settled.unpublish(PAID)
    settled.waiting["payment-events.fifo"] = 1

    report = settled.report()

    assert (report.clean, report.in_flight) == (True, 1)
    assert report.events["PaymentCreated"].between == 1


def test_more_missing_than_the_queue_holds_are_all_named(settled: Settled) -> None:
    """Which of them is in the queue nobody can say, so a person gets to see each."""
    settled.unpublish(PAID)
    settled.unpublish(EventKey("PaymentCreated", "a", 1))
    settled.waiting["payment-events.fifo"] = 1

    assert [(kind, name) for kind, _, name, _, _ in settled.found()] == [
        (FindingKind.NOT_PUBLISHED, "a"),
        (FindingKind.NOT_PUBLISHED, "b"),
    ]


def test_an_event_may_be_on_its_way_from_the_bus_to_the_log(settled: Settled) -> None:
    """On an emulator a queue stands between a bus and its log group."""
    settled.unpublish(ALLOCATED)
    settled.waiting["local-tap-stock-event-bus"] = 1

    assert (settled.report().clean, settled.report().in_flight) == (True, 1)


def test_an_event_without_a_commit_is_found(settled: Settled) -> None:
    """P1: on a bus, and no service knows the aggregate."""
    ghost = EventKey("StockAllocated", "nobody", 1)
    settled.publish(ghost, SINCE)

    assert settled.found() == [(FindingKind.NOT_COMMITTED, *ghost, "stock-event-bus")]


def test_an_event_without_a_commit_is_not_expected_to_be_handled(settled: Settled) -> None:
    """It is told once for each bus that it was on, and not a second time as lost."""
    settled.publish(EventKey("SubscriptionCreated", "nobody", 1), SINCE)

    assert {kind for kind, *_ in settled.found()} == {FindingKind.NOT_COMMITTED}
    assert len(settled.found()) == 3


def test_an_event_of_a_version_that_never_was_is_found(settled: Settled) -> None:
    """P1: the aggregate is there, and has not come so far."""
    early = EventKey("PaymentCancelled", "a", 2)
    settled.log("payments-event-bus", early, SINCE)

    assert (FindingKind.NOT_COMMITTED, *early, "payments-event-bus") in settled.found()


def test_an_event_of_another_moment_than_its_commit_is_found(settled: Settled) -> None:
    """P1: the state says when each version was made; this is some other decision's event."""
    settled.unpublish(ALLOCATED)
    settled.publish(ALLOCATED, SINCE + timedelta(seconds=30))

    assert (FindingKind.NOT_COMMITTED, *ALLOCATED, "stock-event-bus") in settled.found()


def test_an_outbox_row_without_its_state_is_found(settled: Settled) -> None:
    """P1 begins in the outbox: a row is written with its aggregate or not at all."""
    ghost = EventKey("SubscriptionCreated", "nobody", 1)
    settled.rows[ghost] = CommittedRow("subscriptions", "event-1", SINCE)

    assert settled.found() == [(FindingKind.NOT_COMMITTED, *ghost, "the outbox of subscriptions")]


def test_what_is_committed_while_the_audit_reads_is_not_taken_for_an_invention(
    settled: Settled,
) -> None:
    """State is read once more at the end: what was on a bus by then is in it."""
    settled.after = dict(settled.before)
    before = dict(settled.before)
    settled.subscribe("new")
    settled.after, settled.before = dict(settled.before), before

    assert settled.found() == []
    assert settled.report().events["SubscriptionCreated"].committed == 3


def test_an_event_that_did_not_reach_the_next_bus_is_found(settled: Settled) -> None:
    """And nothing is expected of the queue behind that bus."""
    settled.unlog("stock-event-bus", CREATED)

    assert settled.found() == [(FindingKind.NOT_ON_NEXT_BUS, *CREATED, "stock-event-bus")]


def test_an_event_that_could_not_reach_the_next_bus_is_accounted_for(settled: Settled) -> None:
    """EventBridge put it into the rule's dead-letter queue."""
    settled.unlog("stock-event-bus", CREATED)
    settled.dead.append(("subscriptions-to-stock-dlq", CREATED))

    assert (settled.report().clean, settled.report().dead_lettered) == (True, 1)


def test_a_line_that_is_lost_from_the_own_bus_is_told_as_such(settled: Settled) -> None:
    """The event was on the next bus: its own bus's log lacks a line."""
    settled.unlog("subscriptions-event-bus", CREATED)

    (difference,) = settled.report().differences
    assert difference.kind is FindingKind.NOT_PUBLISHED
    assert difference.hint == "but it was on payments-event-bus"


def test_an_event_that_nobody_handled_is_found(settled: Settled) -> None:
    """It was on the bus before the queue, and the state behind it does not show it."""
    del settled.before["payments", "b"]
    settled.unpublish(PAID)

    assert settled.found() == [
        (FindingKind.NOT_HANDLED, *CREATED, "payments-subscription-created"),
    ]


@pytest.mark.parametrize(
    ("domain", "queue"),
    [
        ("stock", "stock-payment-cancelled"),
        ("subscriptions", "subscriptions-payment-cancelled"),
    ],
)
def test_a_cancellation_that_nobody_handled_is_found(
    settled: Settled, domain: str, queue: str
) -> None:
    """What was cancelled in one domain and still stands in another is named."""
    state = settled.before[domain, "c"]
    event = {"stock": "StockAllocated", "subscriptions": "SubscriptionCreated"}[domain]
    settled.before[domain, "c"] = replace(state, version=1, event=event, updated=state.created)
    ended = {"stock": "StockDeallocated", "subscriptions": "SubscriptionCancelled"}[domain]
    settled.unpublish(EventKey(ended, "c", 2))

    assert settled.found() == [(FindingKind.NOT_HANDLED, *CANCELLED, queue)]


def test_an_unhandled_event_may_wait_in_its_queue(settled: Settled) -> None:
    """It is in flight as long as the queue holds anything that it may be."""
    del settled.before["payments", "b"]
    settled.unpublish(PAID)
    settled.waiting["payments-subscription-created"] = 4

    report = settled.report()

    assert (report.clean, report.in_flight) == (True, 1)


@pytest.mark.parametrize("named", [True, False])
def test_an_unhandled_event_may_lie_in_the_dead_letter_queue(settled: Settled, named: bool) -> None:
    """By name, or as one of those whose body cannot be read; it is not in flight then."""
    del settled.before["payments", "b"]
    settled.unpublish(PAID)
    settled.dead.append(("create-payment-subscription-dlq", CREATED if named else None))

    report = settled.report()

    assert (report.clean, report.in_flight, report.dead_lettered) == (True, 0, 1)


def test_two_events_for_one_change_are_found(settled: Settled) -> None:
    """The same type, aggregate and sequence under two event ids."""
    settled.log("stock-event-bus", ALLOCATED, SINCE + timedelta(seconds=1), event_id="another")

    (difference,) = settled.report().differences
    assert (difference.kind, difference.place) == (FindingKind.TWO_EVENTS, "stock-event-bus")
    assert "another" in difference.hint


def test_a_second_event_that_still_waits_in_the_outbox_is_found(settled: Settled) -> None:
    """The row is not the published event's."""
    settled.rows[ALLOCATED] = CommittedRow("stock", "another", SINCE + timedelta(seconds=1))

    assert settled.found() == [(FindingKind.TWO_EVENTS, *ALLOCATED, "stock-event-bus")]


def test_duplicates_are_counted_and_are_no_difference(settled: Settled) -> None:
    """A publication more has an envelope of its own; a line written twice has not."""
    when = SINCE + timedelta(seconds=1)
    settled.log("stock-event-bus", ALLOCATED, when)
    assert settled.report().duplicates == 0

    settled.log("stock-event-bus", ALLOCATED, when, envelope_id="second")
    settled.log("stock-event-bus", ALLOCATED, when, envelope_id="third")

    report = settled.report()
    assert (report.clean, report.duplicates) == (True, 2)
    assert report.events["StockAllocated"].published == 3


def test_what_a_replay_brought_is_counted_apart(settled: Settled) -> None:
    """It is neither a duplicate nor a difference."""
    settled.log("stock-event-bus", ALLOCATED, SINCE + timedelta(seconds=1), replay_name="again")

    report = settled.report()
    assert (report.clean, report.duplicates) == (True, 0)
    assert report.events["StockAllocated"].replayed == 1


def test_stock_given_back_before_it_was_put_aside_lacks_nothing() -> None:
    """PaymentCancelled came first: there is no StockAllocated, and none is demanded."""
    world = Settled()
    world.subscribe("d")
    world.cancel("d")
    world.unpublish(EventKey("StockAllocated", "d", 1))
    gone = world.before["stock", "d"]
    world.before["stock", "d"] = replace(gone, created=gone.updated)

    assert world.found() == []
    assert world.report().events["StockAllocated"].committed == 0


def test_what_happened_outside_the_range_is_left_out(settled: Settled) -> None:
    """An event belongs to the moment when it happened, wherever it is now."""
    settled.subscribe("early", SINCE - timedelta(seconds=10))
    settled.subscribe("late", UNTIL)
    settled.unpublish(EventKey("StockAllocated", "early", 1))
    settled.unpublish(EventKey("StockAllocated", "late", 1))

    report = settled.report()
    assert (report.clean, report.events["SubscriptionCreated"].committed) == (True, 3)


def test_a_state_that_nothing_leads_to_is_found(settled: Settled) -> None:
    """Somebody wrote a row by hand."""
    odd = AggregateState("stock", "odd", 7, "StockAllocated", "allocated", SINCE, SINCE)
    settled.before["stock", "odd"] = odd

    assert settled.found() == [(FindingKind.NOT_UNDERSTOOD, "StockAllocated", "odd", 7, "stock")]


def test_a_line_of_ours_that_cannot_be_read_is_found_and_a_strangers_is_not(
    settled: Settled,
) -> None:
    """Only who publishes under one of our sources has to account for it."""
    settled.lines.append(("stock-event-bus", Unreadable("1", "app.stock", SINCE, "KeyError")))
    settled.lines.append(("stock-event-bus", Unreadable("2", "aws.health", SINCE, "KeyError")))

    assert settled.found() == [(FindingKind.NOT_UNDERSTOOD, "?", "1", 0, "stock-event-bus")]


def test_an_unreadable_line_counts_in_its_own_range_alone(settled: Settled) -> None:
    """The log is read to its end, whatever the range: what came after it is no part of it."""
    settled.lines.append(("stock-event-bus", Unreadable("1", "app.stock", UNTIL, "KeyError")))

    assert settled.found() == []


def test_a_type_that_no_domain_has_is_found(settled: Settled) -> None:
    """An event of a type that is not in the contracts was not committed by any of our services."""
    unheard = EventKey("StockStolen", "a", 3)
    settled.log("stock-event-bus", unheard, SINCE)

    assert settled.found() == [(FindingKind.NOT_COMMITTED, *unheard, "stock-event-bus")]


def test_the_document_lists_every_difference(settled: Settled) -> None:
    """What a program reads is all of it, by id, with its kind."""
    settled.unpublish(ALLOCATED)

    document = settled.report().as_document()

    assert document["clean"] is False
    assert document["differences"] == [
        {
            "kind": "committed, not published",
            "eventType": "StockAllocated",
            "aggregateId": "b",
            "sequence": 1,
            "eventId": None,
            "place": "stock-outbox",
            "hint": "",
        }
    ]


def test_a_row_that_nothing_can_be_made_of_is_pending_and_a_difference(settled: Settled) -> None:
    """Its event is not lost, it is in its outbox; as long as it stays there it is a difference."""
    settled.unpublish(ALLOCATED)
    settled.malformed.append((ALLOCATED, "stock-outbox", "detail is not str"))

    report = settled.report()

    assert report.events["StockAllocated"].pending == 1
    (difference,) = report.differences
    assert (difference.kind, difference.place) == (FindingKind.NOT_UNDERSTOOD, "stock-outbox")
    assert "detail is not str" in difference.hint
