"""Custom Event Buses in memory, as AWS's user guide describes them; nothing here was seen on AWS.

Order per group for FIFO subscribers, a window of deduplication, retention, starting positions,
pause and resume, retries, dead letters without the event. Time and what happens later are
arguments. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-custom-bus.html
"""

# ruff: noqa: N803 (the names are boto3's)

import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Literal

from botocore.exceptions import ClientError

from infra.resources import EventPattern
from tests.builders import ACCOUNT
from tests.memory_buses import Event, matches
from tests.service_models import faults

DEDUPLICATED_WITHIN = 300.0
"""Seconds from the entry that a copy repeats."""

GROUP_UNITS = 1500
"""Of a group in a second: its events and their KB."""

FIRST_BACK_OFF, LONGEST_BACK_OFF = 1.0, 60.0
"""Seconds between tries of a delivery; the guide says nothing of them."""

DELIVERED_AFTER = 0.01

Later = Callable[[float, Callable[[], object]], object]


class TargetFailed(Exception):
    """The target did not take an event; `for_good`: nor does it at any try."""

    def __init__(self, code: str = "THROTTLING", *, for_good: bool = False) -> None:
        super().__init__(code)
        self.code, self.for_good = code, for_good


class TargetLate(Exception):
    """The target is reached some seconds later: that is no failed try."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"in {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Stored:
    """An event on a bus: `sequence` is its position there, `at` when the bus took it (seconds)."""

    event: Event
    group: str | None
    deduplication_id: str | None
    sequence: int
    at: float


@dataclass(frozen=True, slots=True)
class StartingPosition:
    """Where a subscriber begins: at LATEST, or at a point in time, and perhaps where it ends.

    `at` None is HORIZON: all that the bus retains.
    """

    kind: Literal["LATEST", "POINT_IN_TIME"] = "LATEST"
    at: float | None = None
    end: float | None = None


LATEST, HORIZON = StartingPosition(), StartingPosition("POINT_IN_TIME")


@dataclass(frozen=True)
class SubscriberConfiguration:
    """What a subscriber is made with; the defaults are AWS's."""

    name: str
    pattern: EventPattern = field(default_factory=EventPattern)
    fifo: bool = False
    start: StartingPosition = LATEST
    max_retries: int = 5
    max_age: float = 300.0
    only: frozenset[str] | None = None
    """Of `aws:EventId`: a filter of the scope SYSTEM_METADATA."""

    def matches(self, stored: Stored) -> bool:
        if self.only is not None and stored.event.event_id not in self.only:
            return False
        return matches(self.pattern, stored.event)


@dataclass(eq=False)
class _Delivery:
    stored: Stored
    begun: float
    tries: int = 0


class MemorySubscriber:
    """Brings what it wants to `deliver`, which may raise TargetFailed or TargetLate.

    What cannot be brought in time goes as a record to `dead_letter`: its text and its attributes.
    """

    def __init__(
        self,
        bus: "MemoryCustomBus",
        configuration: SubscriberConfiguration,
        deliver: Callable[[Stored], object],
        dead_letter: Callable[[str, Mapping[str, str]], object],
    ) -> None:
        self._bus, self.configuration = bus, configuration
        self._deliver, self._dead_letter = deliver, dead_letter
        self.is_running = True
        self._position = 0
        self._groups: dict[str | int, deque[_Delivery]] = defaultdict(deque)
        self._parked: list[tuple[str | int, _Delivery]] = []

    @property
    def is_idle(self) -> bool:
        return not self._groups

    def begin(self) -> None:
        """Take the starting position. Raises InvalidInputException for one outside retention."""
        start, bus = self.configuration.start, self._bus
        if start.kind == "LATEST":
            self._position = bus.newest
            return
        if start.at is not None and not bus.retained_since() <= start.at <= bus.now():
            raise refused("InvalidInputException", "CreateSubscriber")
        for stored in bus.stored(start.at, start.end):
            self.offer(stored)

    def offer(self, stored: Stored) -> None:
        """See an event that is on the bus."""
        end = self.configuration.start.end
        if not self.is_running or (end is not None and stored.at > end):
            return
        self._position = stored.sequence
        if self.configuration.matches(stored):
            self._enqueue(_Delivery(stored, self._bus.now()))

    def stop(self) -> None:
        self.is_running = False

    def resume(self, position: Literal["LAST_PROCESSED", "LATEST"] = "LAST_PROCESSED") -> None:
        """Go on where it stopped, or with what comes from now on."""
        self.is_running = True
        parked, self._parked = self._parked, []
        if position == "LATEST":
            self._groups.clear()
            self._position = self._bus.newest
            return
        for group, delivery in parked:
            self._attempt_soon(group, delivery)
        for stored in [each for each in self._bus.stored() if each.sequence > self._position]:
            self.offer(stored)

    def _enqueue(self, delivery: _Delivery) -> None:
        """A FIFO subscriber has one delivery of a group in flight; any other has all of them."""
        stored = delivery.stored
        group = (
            stored.group
            if self.configuration.fifo and stored.group is not None
            else stored.sequence
        )
        waiting = self._groups[group]
        waiting.append(delivery)
        if len(waiting) == 1:
            self._attempt_soon(group, delivery)

    def _attempt_soon(
        self, group: str | int, delivery: _Delivery, seconds: float = DELIVERED_AFTER
    ) -> None:
        self._bus.later(seconds, lambda: self._attempt(group, delivery))

    def _attempt(self, group: str | int, delivery: _Delivery) -> None:
        if not self.is_running:
            self._parked.append((group, delivery))
            return
        if delivery not in self._groups.get(group, ()):
            return  # skipped by a resume at LATEST
        try:
            self._deliver(delivery.stored)
        except TargetLate as late:
            self._attempt_soon(group, delivery, late.seconds)
            return
        except TargetFailed as failure:
            delivery.tries += 1
            wait = min(FIRST_BACK_OFF * 2 ** (delivery.tries - 1), LONGEST_BACK_OFF)
            age = self._bus.now() + wait - delivery.begun
            is_over = delivery.tries > self.configuration.max_retries
            if not (failure.for_good or is_over or age > self.configuration.max_age):
                self._attempt_soon(group, delivery, wait)
                return
            self._give_up(delivery, failure, "MaxRetryAttempts" if is_over else _TOO_OLD)
        waiting = self._groups[group]
        waiting.popleft()
        if waiting:
            self._attempt_soon(group, waiting[0])
        else:
            del self._groups[group]

    def _give_up(self, delivery: _Delivery, failure: TargetFailed, condition: str) -> None:
        """Dead-letter the record: it names the event, and does not have it."""
        stored, bus, name = delivery.stored, self._bus, self.configuration.name
        retries = delivery.tries - 1
        facts = {
            "busArn": bus.arn,
            "subscriberArn": f"arn:aws:events:eu-west-1:{ACCOUNT}:subscriber/{name}/s",
            "targetArn": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:{name}",
            "errorCode": failure.code,
            "errorMessage": "The delivery failed.",
            "exhaustedRetryCondition": condition,
            "retryAttempts": retries,
        }
        message = {
            "eventId": stored.event.event_id,
            "eventGroupId": stored.group,
            "deduplicationId": stored.deduplication_id,
            "timestamp": bus.date(stored.at),
            "targetRequestId": "request",
        }
        record = {"version": "1.0", **facts, "failedMessages": [message]}
        attributes = {
            "ERROR_CODE": failure.code,
            "ERROR_MESSAGE": "The delivery failed.",
            "SUBSCRIBER_ARN": str(facts["subscriberArn"]),
            "TARGET_ARN": str(facts["targetArn"]),
            "BUS_ARN": bus.arn,
            "EXHAUSTED_RETRY_CONDITION": condition,
            "RETRY_ATTEMPTS": str(retries),
        }
        self._dead_letter(json.dumps(record), attributes)


_TOO_OLD = "MaximumEventAgeInSeconds"


class MemoryCustomBus:
    """One bus of `name`. `journal` hears of each event that it takes, but for copies in the window.

    `now` is in seconds; `later` has something done after a number of them.
    """

    def __init__(
        self,
        name: str,
        *,
        now: Callable[[], float],
        later: Later,
        journal: Callable[[str, Stored], object] = lambda bus, stored: None,
        retention_days: int = 1,
        began: datetime = datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
    ) -> None:
        self.name, self.now, self.later, self._journal = name, now, later, journal
        self.arn = f"arn:aws:events:eu-west-1:{ACCOUNT}:event-busv2/{name}/{'a' * 25}"
        self.state = "ACTIVE"
        self._retention, self._made, self._began = retention_days * 86_400.0, now(), began
        self._stored: deque[Stored] = deque()
        self._taken: dict[tuple[str | None, str], Stored] = {}
        self._used: dict[str, tuple[int, int]] = {}
        self._ids = count(1)
        self.newest = 0
        self.subscribers: list[MemorySubscriber] = []

    def subscribe(
        self,
        configuration: SubscriberConfiguration,
        deliver: Callable[[Stored], object],
        dead_letter: Callable[[str, Mapping[str, str]], object] = lambda record, attributes: None,
    ) -> MemorySubscriber:
        """Make a subscriber, and let it begin. Raises InvalidInputException."""
        made = MemorySubscriber(self, configuration, deliver, dead_letter)
        made.begin()
        self.subscribers.append(made)
        return made

    def put(self, entries: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
        """Take or refuse each entry by itself; returns their results, in order."""
        return [self._put(entry) for entry in entries]

    def stored(self, since: float | None = None, until: float | None = None) -> Iterable[Stored]:
        """What is retained, in its order, of a span of time."""
        oldest = self.retained_since() if since is None else since
        return [
            each
            for each in self._stored
            if each.at >= oldest and (until is None or each.at <= until)
        ]

    def retained_since(self) -> float:
        return max(self.now() - self._retention, self._made)

    def date(self, at: float) -> str:
        return (self._began + timedelta(seconds=at)).isoformat(timespec="milliseconds")

    @property
    def is_idle(self) -> bool:
        """Whether all that was wanted has arrived, or was dead-lettered."""
        return all(each.is_idle for each in self.subscribers)

    def _put(self, entry: Mapping[str, Any]) -> dict[str, str]:
        if entry["Source"].startswith("aws.") or not _is_json(entry.get("Detail", "{}")):
            return {"ErrorCode": "InvalidInputException", "ErrorMessage": "not an event"}
        system = entry.get("SystemMetadata", {})
        group, unique = system.get("EventGroupId"), system.get("DeduplicationId")
        if group is not None and not self._has_room(group, entry):
            return {"ErrorCode": "ThrottlingException", "ErrorMessage": "too fast for its group"}
        before = self._taken.get((group, unique)) if unique is not None else None
        if before is not None and self.now() - before.at < DEDUPLICATED_WITHIN:
            return {"EventId": before.event.event_id, "SuccessCode": "DEDUPLICATED"}
        self.newest += 1
        event = Event(
            f"{self.name}-{next(self._ids)}",
            entry["Source"],
            entry["DetailType"],
            entry.get("Detail", "{}"),
            entry.get("Time", self._began),
        )
        stored = Stored(event, group, unique, self.newest, self.now())
        if unique is not None:
            self._taken[group, unique] = stored
        self._stored.append(stored)
        while self._stored[0].at < self.retained_since():
            self._stored.popleft()
        self._journal(self.name, stored)
        for subscriber in self.subscribers:
            subscriber.offer(stored)
        return {
            "EventId": event.event_id,
            "SequenceNumber": str(stored.sequence),
            "SuccessCode": "PUBLISHED",
        }

    def _has_room(self, group: str, entry: Mapping[str, Any]) -> bool:
        second = int(self.now())
        before, used = self._used.get(group, (second, 0))
        kib = -(-len(entry.get("Detail", "").encode()) // 1024)
        total = (used if before == second else 0) + 1 + kib
        if total > GROUP_UNITS:
            return False
        self._used[group] = second, total
        return True


class MemoryCustomBuses:
    """A client of boto3's for some buses, which refuses what botocore's model does not allow."""

    def __init__(self, buses: Iterable[MemoryCustomBus]) -> None:
        self.buses = {bus.arn: bus for bus in buses}

    def describe_event_bus(self, *, EventBusArn: str) -> dict[str, Any]:
        bus = self._bus("DescribeEventBus", {"EventBusArn": EventBusArn})
        return {"EventBusArn": EventBusArn, "Name": bus.name, "State": bus.state}

    def put_events(self, *, EventBusArn: str, Entries: Any) -> dict[str, Any]:
        bus = self._bus("PutEvents", {"EventBusArn": EventBusArn, "Entries": Entries})
        if bus.state not in {"ACTIVE", "UPDATING", "UPDATE_FAILED"}:
            raise refused("InvalidStateException", "PutEvents", 409)
        results = bus.put(Entries)
        failed = sum("ErrorCode" in each for each in results)
        return {"FailedEntryCount": failed, "Entries": results}

    def _bus(self, operation: str, request: dict[str, Any]) -> MemoryCustomBus:
        if faults("eventbridgev2", operation, request):
            raise refused("InvalidInputException", operation)
        if request["EventBusArn"] not in self.buses:
            raise refused("ResourceNotFoundException", operation, 404)
        return self.buses[request["EventBusArn"]]


def refused(code: str, operation: str, status: int = 400) -> ClientError:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, operation)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
