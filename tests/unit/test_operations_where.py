"""A story: what happened in order of time, what lacks, and where that probably is."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from operations.journey.evidence import Evidence, OutboxRow
from operations.journey.timeline import Journey, build
from operations.sources.bus_logs import BusEvent
from operations.sources.dead_letters import DeadLetter
from operations.sources.ledger import EventKey
from operations.sources.routes import routes
from operations.where.command import story
from runtime.outbox.dynamodb_rows import row_of, to_item
from tests.audited import SINCE, TAPS, UNTIL, Settled
from tests.builders import START
from tests.dead_letters import a_dead_letter
from tests.hostile import Odd, as_item, dynamodb_values
from tests.relay_fakes import record_of

CREATED = EventKey("SubscriptionCreated", "a", 1)
ALLOCATED = EventKey("StockAllocated", "a", 1)
PAID = EventKey("PaymentCreated", "a", 1)
CANCELLED = EventKey("PaymentCancelled", "a", 2)


@pytest.fixture
def world() -> Settled:
    """One customer, who has cancelled."""
    settled = Settled()
    settled.subscribe("a")
    settled.cancel("a")
    return settled


def journey(world: Settled, *, event_id: str | None = None, **found: Any) -> Journey:
    evidence = Evidence(
        aggregate_id="a",
        read_at=UNTIL,
        states={domain: state for (domain, _), state in world.before.items()},
        events=[(bus, line) for bus, line in world.lines if isinstance(line, BusEvent)],
        **found,
    )
    return build(evidence, routes(), TAPS, event_id=event_id)


def a_row(key: EventKey, at: datetime, causation_id: str | None = None) -> OutboxRow:
    return OutboxRow(key, "event-1", at, causation_id, "stock-outbox", "stock-relay")


def given_up(key: EventKey, queue: str) -> DeadLetter:
    return a_dead_letter(
        key.aggregate_id,
        key.sequence,
        queue=queue,
        message_id="message-1",
        why="NotAnEvent: sequence is missing",
        by="payment-consumer",
        sent_at=SINCE + timedelta(seconds=30),
    )


def lost(world: Settled, **found: Any) -> list[tuple[str, str, str]]:
    return [(gap.event_type, gap.what, gap.probably) for gap in journey(world, **found).gaps]


def test_a_whole_life_is_told_in_order_and_lacks_nothing(world: Settled) -> None:
    """Each event is committed before it is on its bus, and on that before the next."""
    told = journey(world)
    steps = story(told)

    assert told.gaps == ()
    assert [(each["eventType"], each["place"], each["what"]) for each in steps[:5]] == [
        ("SubscriptionCreated", "subscriptions", "committed, version 1"),
        ("SubscriptionCreated", "subscriptions-event-bus", "published"),
        ("SubscriptionCreated", "stock-event-bus", "came on from subscriptions-event-bus"),
        ("SubscriptionCreated", "payments-event-bus", "came on from subscriptions-event-bus"),
        ("StockAllocated", "stock", "committed, version 1"),
    ]
    assert len(steps) == 6 + 6 + 4
    moments = [each["at"] for each in steps]
    assert moments == sorted(moments)


def test_an_event_in_its_outbox_is_found_there(world: Settled) -> None:
    """And the relay is named that should take it."""
    world.unpublish(ALLOCATED)
    row = a_row(ALLOCATED, UNTIL - timedelta(seconds=12))

    assert lost(world, rows=[row]) == [
        (
            "StockAllocated",
            "publication on stock-event-bus",
            "in stock-outbox for 12 s: stock-relay has yet to publish it",
        )
    ]
    steps = story(journey(world, rows=[row]))
    waits = [each["what"] for each in steps if each["place"] == "stock-outbox"]
    assert waits == ["waits for stock-relay"]


def test_an_event_may_be_one_of_those_that_wait_in_a_queue(world: Settled) -> None:
    """A queue can only be counted; nothing is received to look."""
    world.unpublish(PAID)

    assert lost(world, waiting={"payment-events.fifo": 3}) == [
        (
            "PaymentCreated",
            "publication on payments-event-bus",
            "3 wait in payment-events.fifo, this may be one of them",
        )
    ]


def test_an_event_that_is_nowhere_is_said_to_be(world: Settled) -> None:
    """With the commands that help."""
    world.unpublish(ALLOCATED)

    ((_, what, probably),) = lost(world)
    assert what == "publication on stock-event-bus"
    assert "not found in any outbox, bus log or queue" in probably


def test_a_hop_that_did_not_happen_is_named_by_its_rule(world: Settled) -> None:
    """Nothing is said of the queue behind it."""
    world.unlog("stock-event-bus", CANCELLED)

    ((event_type, what, probably),) = lost(world)
    assert (event_type, what) == ("PaymentCancelled", "PaymentsToStockRule to stock-event-bus")
    assert "`streamed replay --bus payments-event-bus`" in probably


def test_an_event_that_its_log_did_not_take_is_a_dead_letter(world: Settled) -> None:
    """It was on the bus, which only the log would show."""
    world.unlog("subscriptions-event-bus", CREATED)
    queue = "subscriptions-event-logs-dlq"

    (gap,) = journey(world, dead_letters=[given_up(CREATED, queue)]).gaps

    assert gap.what == "publication on subscriptions-event-bus"
    assert gap.probably == f"in {queue}: `streamed dlq show message-1`"


def test_an_event_that_was_not_handled_is_replayed_from_the_bus_of_its_source(
    world: Settled,
) -> None:
    """Payments' own archive does not keep what subscriptions published."""
    del world.before["payments", "a"]
    for key in (PAID, CANCELLED):
        world.unpublish(key)

    probably = [what for _, handling, what in lost(world) if handling == "handling by payments"]
    assert ["`streamed replay --bus subscriptions-event-bus`" in each for each in probably] == [
        True
    ]


def test_a_dead_letter_is_part_of_the_story_and_the_place_to_go_on(world: Settled) -> None:
    """Its reason is told, and the command that shows it."""
    del world.before["payments", "a"]
    for key in (PAID, CANCELLED):
        world.unpublish(key)
    queue = "create-payment-subscription-dlq"
    dead_letter = given_up(CREATED, queue)

    told = journey(world, dead_letters=[dead_letter])

    assert [(gap.what, gap.probably) for gap in told.gaps] == [
        (
            "handling by payments",
            f"in {queue}: `streamed dlq show message-1`",
        )
    ]
    (step,) = (each for each in story(told) if each["place"] == queue)
    assert step["at"] == SINCE + timedelta(seconds=30)
    assert step["what"] == "dead-lettered by payment-consumer: NotAnEvent: sequence is missing"


def test_an_unhandled_event_may_wait_in_its_queue(world: Settled) -> None:
    """It was on the bus; the consumer has yet to take it."""
    del world.before["payments", "a"]
    for key in (PAID, CANCELLED):
        world.unpublish(key)

    assert lost(world, waiting={"payments-subscription-created": 1}) == [
        (
            "SubscriptionCreated",
            "handling by payments",
            "1 wait in payments-subscription-created, this may be one of them",
        )
    ]


def test_an_event_without_a_commit_is_told_as_such(world: Settled) -> None:
    """It was on a bus, and its own service does not know of it."""
    del world.before["stock", "a"]

    gaps = [gap.as_document() for gap in journey(world).gaps]

    assert {
        "eventType": "StockAllocated",
        "eventId": "StockAllocated-a-1",
        "what": "its commit: stock does not know of it",
        "probably": "it never was",
    } in gaps


def test_one_event_is_told_with_what_it_led_to_and_nothing_else(world: Settled) -> None:
    """The chain of causes decides, not the time; what waits in an outbox belongs to it."""
    world.unpublish(EventKey("StockDeallocated", "a", 2))
    given_back = EventKey("StockDeallocated", "a", 2)
    row = a_row(given_back, SINCE + timedelta(seconds=61), causation_id="PaymentCancelled-a-2")

    steps = story(journey(world, event_id="PaymentCancelled-a-2", rows=[row]))

    assert {each["eventType"] for each in steps} == {"PaymentCancelled", "StockDeallocated"}
    (committed,) = (each["what"] for each in steps if each["place"] == "stock")
    assert committed == "committed, version 2, on PaymentCancelled"


def test_a_replayed_event_and_a_second_publication_are_told_apart(world: Settled) -> None:
    """Both are told at the time of their line: the envelope has the time of the first."""
    when = SINCE + timedelta(seconds=1)
    logged = SINCE + timedelta(minutes=30)
    world.log("stock-event-bus", ALLOCATED, when, replay_name="again", logged_at=logged)
    world.log("stock-event-bus", ALLOCATED, when, envelope_id="second", logged_at=logged)

    steps = story(journey(world))
    told = [(each["what"], each["at"]) for each in steps if each["eventType"] == "StockAllocated"]

    assert told[1:] == [
        ("published", when),
        ("replayed by again", logged),
        ("published, again", logged),
    ]


def test_stock_that_was_never_put_aside_has_no_allocation_in_its_story(world: Settled) -> None:
    """PaymentCancelled came first, and the story does not invent what the state cannot tell."""
    world.unpublish(ALLOCATED)
    state = world.before["stock", "a"]
    world.before["stock", "a"] = type(state)(
        "stock", "a", 2, state.event, "deallocated", state.updated, state.updated
    )

    told = journey(world)

    assert told.gaps == ()
    assert "StockAllocated" not in {each["eventType"] for each in story(told)}


def test_a_row_that_cannot_be_published_says_why(world: Settled) -> None:
    """It waits for nothing: what is wrong with it is in the story and at the gap."""
    world.unpublish(ALLOCATED)
    row = replace(a_row(ALLOCATED, UNTIL), event_id=None, problem="detail is not str")

    assert lost(world, rows=[row]) == [
        (
            "StockAllocated",
            "publication on stock-event-bus",
            "in stock-outbox: stock-relay cannot publish it (detail is not str)",
        )
    ]
    steps = story(journey(world, rows=[row]))
    assert [each["what"] for each in steps if each["place"] == "stock-outbox"] == [
        "waits for stock-relay, which cannot publish it: detail is not str"
    ]


@pytest.mark.parametrize("odd", dynamodb_values(START), ids=repr)
def test_any_item_of_an_outbox_can_be_told_of(odd: Odd) -> None:
    """By its record, or by its key and what is wrong with it; never with a traceback."""
    item = as_item("a", odd, START)
    row = OutboxRow.of(row_of(item), domain="stock", outbox="stock-outbox", relay="stock-relay")
    assert row.key == EventKey("StockAllocated", "a", 1)
    assert row.problem


@pytest.mark.parametrize("metadata", [5, None, [], {"causationId": 7}])
def test_a_detail_of_any_shape_names_no_cause(metadata: object) -> None:
    """A detail is a JSON object, whatever wrote it: there need be no metadata in it."""
    record = record_of("a", 1, detail=json.dumps({"metadata": metadata}))
    item = to_item(record.to_document())
    row = OutboxRow.of(row_of(item), domain="stock", outbox="stock-outbox", relay="stock-relay")
    assert (row.causation_id, row.problem) == (None, None)
