"""What the taps brought: bounded, masked, and found again."""

import pytest

from console.live.observed_events import ObservedEvents, parse_observed
from contracts.envelope import NotAnEvent
from tests.builders import START
from tests.console import an_observed_event, event_id


def test_bank_details_are_masked_before_anything_is_kept() -> None:
    """Neither under their names nor inside a text."""
    seen = an_observed_event(
        accountName="Ada Lovelace", accountSortCode="12-34-56", note="pay 12345678"
    )
    for secret in ("12345678", "Ada Lovelace", "12-34-56"):
        assert secret not in seen.body
    assert seen.envelope()["detail"]["accountNumber"] == "***"


def test_an_event_is_its_own_domains_or_came_on() -> None:
    """The source says whose it is, the bus where it was seen."""
    assert an_observed_event(bus="subscriptions-event-bus").own
    assert not an_observed_event(bus="stock-event-bus").own


def test_what_is_no_event_of_ours_is_not_one() -> None:
    """Anybody may put anything on a bus."""
    for body in ("no JSON", "{}", '{"id":"1","source":"s","detail-type":"t","detail":{}}'):
        with pytest.raises(NotAnEvent):
            parse_observed(body, at=START, bus="stock-event-bus", domain="stock")


def test_the_oldest_events_go_first() -> None:
    """Neither their number nor their bytes pass a bound, and no index keeps what is gone."""
    store = ObservedEvents(most=3)
    for name in "abcde":
        store.add(an_observed_event(aggregate_id=name))
    assert [name for name, _ in store.recent(10)] == ["e", "d", "c"]
    assert store.of_aggregate("a") == []
    assert store.aggregate_named(event_id("SubscriptionCreated", "a")) is None
    assert len(store._by_aggregate) == len(store._order) == 3

    size = len(an_observed_event().body)
    small = ObservedEvents(most_bytes=2 * size)
    for name in "abc":
        small.add(an_observed_event(aggregate_id=name))
    assert [name for name, _ in small.recent(10)] == ["c", "b"]
    assert small._bytes <= 2 * size


def test_a_message_that_comes_twice_is_one_sighting() -> None:
    """SQS delivers at least once."""
    store, seen = ObservedEvents(), an_observed_event()
    assert store.add(seen)
    assert not store.add(seen)
    assert len(store.of_aggregate("a")) == 1


def test_an_aggregate_is_found_by_any_of_its_names() -> None:
    """Its own, an event's, or the correlation id of what began it."""
    store = ObservedEvents()
    store.add(an_observed_event(aggregate_id="a"))
    store.add(an_observed_event(aggregate_id="b"))
    for name in ("b", event_id("SubscriptionCreated", "b"), "request-b"):
        assert store.aggregate_named(name) == "b"
    assert store.aggregate_named("c") is None


def test_the_newest_come_first() -> None:
    """What happened to an aggregate last decides, not when it began."""
    store = ObservedEvents()
    for name in "ab":
        store.add(an_observed_event(aggregate_id=name))
    store.add(an_observed_event("StockAllocated", "a", bus="stock-event-bus"))
    assert [name for name, _ in store.recent(10)] == ["a", "b"]
    assert [name for name, _ in store.recent(1)] == ["a"]
    assert store.recent(0) == []
