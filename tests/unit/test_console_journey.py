"""A journey step by step, and what of it has yet to happen."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from console.follow.api_state import ApiState
from console.follow.evidence import journey_of
from console.follow.journey import events, is_complete, missing, sentence, steps
from console.live.observed_events import ObservedEvent
from contracts.timestamps import format_timestamp
from infra.graph import graph_of
from operations.journey.evidence import OutboxRow
from operations.journey.timeline import Journey
from operations.sources.ledger import EventKey
from tests.builders import START
from tests.console import an_observed_event, event_id

CREATED = event_id("SubscriptionCreated")
SOON = timedelta(milliseconds=80)
LATER = START + timedelta(minutes=5)


def a_state(domain: str, status: str = "active", *, version: int = 1, at: Any = START) -> ApiState:
    body = {
        "subscriptionId": "a",
        "status": status,
        "version": version,
        "created": format_timestamp(START),
        "updated": format_timestamp(at),
    }
    return ApiState(domain, "http://api", 200, body, None)


def a_life() -> list[ObservedEvent]:
    """A subscription, its stock and its payment, as the three buses had them."""
    effect: dict[str, Any] = {"cause": CREATED, "at": START + SOON}
    return [
        an_observed_event(bus="stock-event-bus", after=0.011),
        an_observed_event(bus="payments-event-bus", after=0.012),
        an_observed_event(after=0.02),
        an_observed_event("StockAllocated", bus="stock-event-bus", after=0.03, **effect),
        an_observed_event("PaymentCreated", bus="payments-event-bus", after=0.05, **effect),
    ]


def found(seen: Sequence[ObservedEvent], **more: Any) -> Journey:
    values: dict[str, Any] = {
        "read_at": LATER,
        "states": {
            "subscription": a_state("subscriptions"),
            "stock": a_state("stock", "allocated", at=START + SOON),
            "payment": a_state("payments", at=START + SOON),
        },
        "observed": seen,
    }
    return journey_of("a", **values | more)


def shown(journey: Journey) -> list[dict[str, Any]]:
    return steps(journey, graph_of())


def test_a_journey_is_told_in_order_with_the_milliseconds_between() -> None:
    """From the request over the buses to what the other domains made of it."""
    told = shown(found(a_life()))
    mine = [each for each in told if each["eventType"] == "SubscriptionCreated"]
    assert [each["kind"] for each in mine] == [
        "request",
        "committed",
        "published",
        "forwarded",
        "forwarded",
    ]
    assert [each["kind"] for each in told].count("handled") == 2
    assert (told[0]["ms"], told[0]["gapMs"]) == (0, None)
    assert told[-1]["ms"] == 130
    assert sum(each["gapMs"] or 0 for each in told) == 130
    assert {each["node"] for each in told} <= {node.id for node in graph_of().nodes}


def test_nothing_comes_on_before_it_was_published() -> None:
    """Taps' queues fill in any order, and the bus it came from had it first."""
    told = shown(found(a_life()))
    (published,) = (
        each
        for each in told
        if (each["kind"], each["place"]) == ("published", "subscriptions-event-bus")
    )
    assert published["ms"] == 11


def test_a_handling_names_its_cause() -> None:
    """It is what an event says of itself: causationId."""
    told = shown(found(a_life()))
    assert "stock-consumer handled SubscriptionCreated" in [each["sentence"] for each in told]


def test_a_whole_journey_lacks_nothing() -> None:
    """As `streamed where` judges it."""
    assert missing(found(a_life())) == []
    assert sentence(0) == "everything that was to happen has happened"
    assert is_complete(a_life())


def test_a_row_in_an_outbox_waits_for_its_relay() -> None:
    """The step and the gap both say so."""
    key = EventKey("SubscriptionCreated", "a", 1)
    row = OutboxRow(key, CREATED, START, None, "subscriptions-outbox", "subscriptions-relay")
    states = {"subscription": a_state("subscriptions")}
    journey = found([], rows=[row], states=states)
    (gap,) = missing(journey)
    assert gap["what"] == "publication on subscriptions-event-bus"
    assert "in subscriptions-outbox for 5 min" in gap["probably"]
    assert shown(journey)[-1]["kind"] == "waits"
    assert sentence(1) == "1 thing has yet to happen"


def test_what_happened_just_now_is_on_its_way_and_not_lost() -> None:
    """Only after a while something that is not found is called so."""
    seen = [each for each in a_life() if each.event_type == "SubscriptionCreated"]
    states = {"subscription": a_state("subscriptions")}
    soon = found(seen, states=states, read_at=START + timedelta(seconds=1))
    assert {gap["probably"] for gap in missing(soon)} == {"on the way: it happened 1.0 s ago"}
    late = found(seen, states=states)
    assert all("not found" in gap["probably"] for gap in missing(late))
    assert not is_complete(seen)


def test_payments_that_wait_are_told_of_by_their_count() -> None:
    """The console does not look into that database: its API says how many wait."""
    states = {"payment": a_state("payments")}
    (gap,) = missing(found([], states=states, waiting={"outbox": 2}))
    assert gap["probably"] == "2 wait in outbox, this may be one of them"


def test_a_replay_is_told_as_one() -> None:
    """It neither was published again nor came on."""
    again = an_observed_event(replay="mend-1", after=60)
    told = shown(found([*a_life(), again]))
    assert told[-1]["kind"] == "replayed"
    assert "mend-1" in told[-1]["sentence"]


def test_an_event_is_listed_once_with_the_buses_that_had_it() -> None:
    """Its envelope is the first one's, masked."""
    listed = events(a_life())
    assert listed[0]["eventType"] == "SubscriptionCreated"
    assert len(listed) == 3
    assert len(listed[0]["seenOn"]) == 3
    assert listed[0]["body"]["detail"]["accountNumber"] == "***"
    assert listed[1]["causationId"] == CREATED
