"""The relay's adapter on a bus with the semantics that AWS documents, on a clock of the test's."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from heapq import heappop, heappush
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError

from contracts.outbox import OutboxRecord
from infra.resources import EventPattern
from relay.adapters.custom_event_bus import CustomEventBus
from relay.ports import CallRefused
from relay.publisher import Publisher
from runtime.custom_event_bus import require_custom_bus
from runtime.errors import Unavailable
from runtime.metrics import RelayMetrics, new_registry
from runtime.outbox.rows import Row
from tests.memory_custom_buses import (
    DEDUPLICATED_WITHIN,
    GROUP_UNITS,
    HORIZON,
    LATEST,
    MemoryCustomBus,
    MemoryCustomBuses,
    StartingPosition,
    Stored,
    SubscriberConfiguration,
    TargetFailed,
)
from tests.relay_fakes import MemoryDeadLetters, record_of

DAY = 86_400.0


class Clock:
    """Seconds; what is to happen later happens when they are let pass."""

    def __init__(self) -> None:
        self.now = 0.0
        self._later: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = count()

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        heappush(self._later, (self.now + seconds, next(self._numbers), act))

    def pass_by(self, seconds: float) -> None:
        until = self.now + seconds
        while self._later and self._later[0][0] <= until:
            self.now, _, act = heappop(self._later)
            act()
        self.now = until


class Target:
    """Takes events, but for those of the aggregates that it fails for."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, int]] = []
        self.failing: set[str] = set()
        self.records: list[dict[str, Any]] = []
        self.tries = 0

    def deliver(self, stored: Stored) -> None:
        self.tries += 1
        if stored.group in self.failing:
            raise TargetFailed
        sequence = json.loads(stored.event.detail)["sequence"]
        self.arrived.append((str(stored.group), sequence))

    def dead_letter(self, record: str, attributes: Mapping[str, str]) -> None:
        self.records.append({**json.loads(record), "attributes": attributes})


class World:
    """A bus, the relay's adapter on it, and a target."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.bus = MemoryCustomBus(
            "stock-event-bus", now=lambda: self.clock.now, later=self.clock.later
        )
        self.client = MemoryCustomBuses([self.bus])
        self.adapter = CustomEventBus(self.client, self.bus.arn)
        self.target = Target()

    def subscribe(self, **configuration: Any) -> Any:
        return self.bus.subscribe(
            SubscriberConfiguration("queue", **configuration),
            self.target.deliver,
            self.target.dead_letter,
        )

    def publish(self, *events: tuple[str, int]) -> list[object]:
        return list(self.adapter.publish([event(*each) for each in events]))


def event(aggregate: str, sequence: int) -> OutboxRecord:
    """The same for the same names, as a row that is published again is."""
    record = record_of(aggregate, sequence, detail=json.dumps({"sequence": sequence}))
    return replace(record, event_id=f"{aggregate}-{sequence}")


@pytest.fixture
def world() -> World:
    return World()


def test_a_fifo_subscriber_delivers_each_group_in_the_order_of_its_publication(
    world: World,
) -> None:
    """The relay has one event of an aggregate in flight: so that is the order of its commits."""
    world.subscribe(fifo=True)
    for sequence in (1, 2, 3):
        world.publish(("a", sequence), ("b", sequence))
    world.clock.pass_by(60)
    for name in "ab":
        assert [each for each in world.target.arrived if each[0] == name] == [
            (name, 1),
            (name, 2),
            (name, 3),
        ]


def test_an_event_that_cannot_be_delivered_holds_up_its_group_alone(world: World) -> None:
    """And once it can be, order is kept."""
    world.subscribe(fifo=True)
    world.target.failing = {"a"}
    world.publish(("a", 1), ("b", 1))
    world.publish(("a", 2), ("b", 2))
    world.clock.pass_by(5)
    assert world.target.arrived == [("b", 1), ("b", 2)]
    world.target.failing = set()
    world.clock.pass_by(60)
    assert world.target.arrived[2:] == [("a", 1), ("a", 2)]


def test_an_unordered_subscriber_lets_later_events_pass(world: World) -> None:
    """What ours are: handlers need no order, and one that fails holds nothing up."""
    world.subscribe()
    world.target.failing = {"a"}
    world.publish(("a", 1))
    world.clock.pass_by(1.5)
    world.target.failing = set()
    world.publish(("a", 2))
    world.clock.pass_by(0.2)
    assert world.target.arrived == [("a", 2)]
    world.clock.pass_by(60)
    assert world.target.arrived == [("a", 2), ("a", 1)]


def test_a_copy_within_the_window_is_accepted_and_not_there_twice(world: World) -> None:
    """So the row may leave the outbox, and the relay's at-least-once ends at the bus."""
    world.subscribe()
    assert world.publish(("a", 1)) == [None]
    world.clock.pass_by(DEDUPLICATED_WITHIN - 1)
    assert world.publish(("a", 1)) == [None]
    world.clock.pass_by(60)
    assert world.target.arrived == [("a", 1)]


def test_a_copy_after_the_window_is_another_event(world: World) -> None:
    """300 s from the entry that it repeats, however often it was repeated meanwhile."""
    world.subscribe()
    for _ in range(4):
        world.publish(("a", 1))
        world.clock.pass_by(DEDUPLICATED_WITHIN / 3)
    world.clock.pass_by(60)
    assert world.target.arrived == [("a", 1), ("a", 1)]


def test_the_window_is_of_a_group(world: World) -> None:
    """The same key in another group, or in none, is another event."""
    entry = {"Source": "s", "DetailType": "t", "Detail": "{}"}
    keys = [
        {"DeduplicationId": "k", "EventGroupId": "a"},
        {"DeduplicationId": "k", "EventGroupId": "b"},
        {"DeduplicationId": "k"},
        {"DeduplicationId": "k"},
        {"EventGroupId": "a"},
        {"EventGroupId": "a"},
    ]
    answer = world.client.put_events(
        EventBusArn=world.bus.arn, Entries=[{**entry, "SystemMetadata": key} for key in keys]
    )
    codes = [each["SuccessCode"] for each in answer["Entries"]]
    assert codes == [*["PUBLISHED"] * 3, "DEDUPLICATED", "PUBLISHED", "PUBLISHED"]


def test_a_delivery_is_tried_five_times_more_and_then_a_record_is_left(world: World) -> None:
    """AWS's default. The record says which event and why, and does not have it."""
    world.subscribe()
    world.target.failing = {"a"}
    world.publish(("a", 7))
    world.clock.pass_by(300)
    assert world.target.tries == 6
    (record,) = world.target.records
    assert record["exhaustedRetryCondition"] == "MaxRetryAttempts"
    assert record["retryAttempts"] == 5
    (message,) = record["failedMessages"]
    assert (message["eventGroupId"], message["deduplicationId"]) == ("a", "a-7")
    assert "sequence" not in json.dumps(record)
    assert record["attributes"]["ERROR_CODE"] == record["errorCode"] == "THROTTLING"


def test_a_delivery_is_given_up_after_300_s_whatever_its_tries(world: World) -> None:
    """The other limit, which is reached first where more tries are allowed."""
    world.subscribe(max_retries=185)
    world.target.failing = {"a"}
    world.publish(("a", 1))
    world.clock.pass_by(299)
    assert 6 < world.target.tries < 186
    world.clock.pass_by(60)
    (record,) = world.target.records
    assert record["exhaustedRetryCondition"] == "MaximumEventAgeInSeconds"


def test_what_a_stage_sets_waits_for_a_day(world: World) -> None:
    """A target that is away for an hour loses nothing, as on Classic."""
    world.subscribe(max_retries=185, max_age=DAY)
    world.target.failing = {"a"}
    world.publish(("a", 1))
    world.clock.pass_by(3600)
    world.target.failing = set()
    world.clock.pass_by(120)
    assert (world.target.arrived, world.target.records) == ([("a", 1)], [])


def test_a_fifo_group_goes_on_behind_what_was_given_up(world: World) -> None:
    """Order is kept by what was delivered: the dead letter's place is empty."""
    world.subscribe(fifo=True)
    world.target.failing = {"a"}
    world.publish(("a", 1))
    world.publish(("a", 2))
    world.clock.pass_by(32)
    assert len(world.target.records) == 1
    world.target.failing = set()
    world.clock.pass_by(60)
    assert world.target.arrived == [("a", 2)]


def test_a_record_is_redriven_by_a_subscriber_that_reads_its_events_again(world: World) -> None:
    """Between the times of the record, and by the bus's ids: nothing else comes again."""
    world.subscribe()
    world.publish(("a", 1))
    world.target.failing = {"b"}
    world.publish(("b", 1))
    world.clock.pass_by(300)
    (record,) = world.target.records
    world.target.failing = set()
    ids = frozenset(each["eventId"] for each in record["failedMessages"])
    world.subscribe(start=StartingPosition("POINT_IN_TIME", 0.0, 300.0), only=ids)
    world.clock.pass_by(1)
    assert world.target.arrived == [("a", 1), ("b", 1)]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (LATEST, [3]),
        (HORIZON, [1, 2, 3]),
        (StartingPosition("POINT_IN_TIME", 100.0), [2, 3]),
        (StartingPosition("POINT_IN_TIME", 0.0, 150.0), [1, 2]),
    ],
)
def test_a_subscriber_begins_where_it_asks_to(
    world: World, start: StartingPosition, expected: list[int]
) -> None:
    """At the end, at all that is retained, at a time, and up to one."""
    world.publish(("a", 1))
    world.clock.pass_by(100)
    world.publish(("a", 2))
    world.clock.pass_by(100)
    world.subscribe(start=start)
    world.publish(("a", 3))
    world.clock.pass_by(10)
    assert [sequence for _, sequence in world.target.arrived] == expected


@pytest.mark.parametrize("at", [-1.0, 1.0 + 2 * DAY - DAY - 10, 3 * DAY])
def test_a_position_outside_the_retention_is_refused(world: World, at: float) -> None:
    """Before it, before the bus was made, or in the future."""
    world.clock.pass_by(2 * DAY)
    with pytest.raises(ClientError, match="InvalidInputException"):
        world.subscribe(start=StartingPosition("POINT_IN_TIME", at))


def test_what_is_no_longer_retained_is_not_read(world: World) -> None:
    """A day, unless the bus says another."""
    world.publish(("a", 1))
    world.clock.pass_by(DAY + 1)
    world.publish(("a", 2))
    world.subscribe(start=HORIZON)
    world.clock.pass_by(1)
    assert world.target.arrived == [("a", 2)]


@pytest.mark.parametrize(
    ("position", "expected"), [("LAST_PROCESSED", [1, 2, 3, 4]), ("LATEST", [1, 4])]
)
def test_a_stopped_subscriber_goes_on_with_its_backlog_or_without(
    world: World, position: Any, expected: list[int]
) -> None:
    """In order, and nothing twice."""
    subscriber = world.subscribe(fifo=True)
    world.publish(("a", 1))
    world.clock.pass_by(1)
    subscriber.stop()
    world.publish(("a", 2))
    world.publish(("a", 3))
    world.clock.pass_by(1000)
    assert world.target.arrived == [("a", 1)]
    subscriber.resume(position)
    world.publish(("a", 4))
    world.clock.pass_by(10)
    assert [sequence for _, sequence in world.target.arrived] == expected


def test_a_delivery_that_is_under_way_waits_while_its_subscriber_is_stopped(world: World) -> None:
    """It is not lost, and its tries are not counted on."""
    subscriber = world.subscribe()
    world.publish(("a", 1))
    subscriber.stop()
    world.clock.pass_by(1000)
    subscriber.resume()
    world.clock.pass_by(1)
    assert (world.target.arrived, world.target.tries) == ([("a", 1)], 1)


def test_a_pattern_chooses(world: World) -> None:
    """Of the source and the type, as a rule's does."""
    record = event("a", 1)
    world.subscribe(pattern=EventPattern((record.source,), ("Another",)))
    world.publish(("a", 1))
    world.clock.pass_by(60)
    assert world.target.tries == 0


def test_a_group_that_is_too_fast_is_throttled_alone(world: World) -> None:
    """1,500 a second, events and KB together; the relay tries those entries again, no others."""
    large = [
        replace(event("a", n), detail=f'{{"sequence": {n}, "t": "{"x" * 900_000}"}}')
        for n in (1, 2)
    ]
    assert GROUP_UNITS < 2 * 900
    dead_letters = MemoryDeadLetters()
    publisher = Publisher(world.adapter, dead_letters, RelayMetrics(new_registry()))

    def outcome(records: list[OutboxRecord]) -> tuple[list[int], list[int]]:
        rows = [Row(each.aggregate_id, each.sequence, None, each) for each in records]
        found = publisher.publish(rows)
        return [row.sequence for row in found.done], [row.sequence for row in found.again]

    assert outcome([large[0], event("b", 9)]) == ([1, 9], [])
    assert outcome([large[1], event("b", 10)]) == ([10], [2])
    world.clock.pass_by(1)
    assert outcome([large[1]]) == ([2], [])
    assert dead_letters.sent == []


def test_an_entry_that_is_never_taken_is_refused_alone(world: World) -> None:
    """A source of AWS's own; the others of the call pass."""
    reserved = replace(event("a", 1), source="aws.s3")
    refused, taken = world.adapter.publish([reserved, event("b", 1)])
    assert refused is not None
    assert refused.is_permanent
    assert taken is None


def test_what_the_model_does_not_allow_is_refused_as_a_call(world: World) -> None:
    """The relay then sends its entries one by one."""
    endless = replace(event("a", 1), event_type="t" * 129)
    with pytest.raises(CallRefused) as raised:
        world.adapter.publish([endless, event("b", 1)])
    assert raised.value.failure.is_permanent


def test_a_bus_that_is_being_made_takes_nothing_yet(world: World) -> None:
    """At start that is waited for; a relay that runs holds its rows."""
    world.bus.state = "CREATING"
    with pytest.raises(Unavailable):
        require_custom_bus(world.client, world.bus.arn)
    with pytest.raises(Unavailable):
        world.publish(("a", 1))
    world.bus.state = "ACTIVE"
    require_custom_bus(world.client, world.bus.arn)
    assert world.publish(("a", 1)) == [None]
