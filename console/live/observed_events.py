"""The events that the console's taps brought: the newest of them, in bounded memory."""

import json
import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.envelope import ReceivedEvent
from runtime.logs import redact

MOST_EVENTS = 5_000
MOST_BYTES = 16 * 1024 * 1024
"""Of the bodies kept; the oldest events go first."""


@dataclass(frozen=True, slots=True)
class ObservedEvent:
    """One event on one bus. `at` is when it came into the tap's queue; `body` is masked JSON."""

    at: datetime
    bus: str
    own: bool
    source: str
    event_type: str
    event_id: str
    aggregate_id: str
    sequence: int
    occurred_at: datetime
    correlation_id: str
    causation_id: str | None
    traceparent: str | None
    envelope_id: str
    replay_name: str | None
    body: str

    @property
    def domain(self) -> str:
        return self.source.removeprefix("app.")

    def envelope(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


def parse_observed(body: str, *, at: datetime, bus: str, domain: str) -> ObservedEvent:
    """Read what a bus that `domain` owns carried. Raises NotAnEvent."""
    event = ReceivedEvent.parse(body)
    envelope = masked(body)
    metadata = event.metadata
    return ObservedEvent(
        at=at,
        bus=bus,
        own=event.source == f"app.{domain}",
        source=event.source,
        event_type=event.detail_type,
        event_id=metadata.event_id,
        aggregate_id=metadata.aggregate_id,
        sequence=metadata.sequence,
        occurred_at=metadata.occurred_at,
        correlation_id=metadata.correlation_id,
        causation_id=metadata.causation_id,
        traceparent=metadata.traceparent,
        envelope_id=event.id,
        replay_name=_text(envelope.get("replay-name")),
        body=json.dumps(envelope, separators=(",", ":")),
    )


def masked(body: str) -> dict[str, Any]:
    """An envelope without bank details."""
    return dict(redact(None, "", json.loads(body)))


class ObservedEvents:
    """The newest events, by aggregate and by id; any thread may add and ask."""

    def __init__(self, *, most: int = MOST_EVENTS, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._lock = threading.Lock()
        self._order: deque[ObservedEvent] = deque()
        self._by_aggregate: OrderedDict[str, list[ObservedEvent]] = OrderedDict()
        self._by_event: dict[str, list[ObservedEvent]] = {}
        self._bytes = 0

    def add(self, event: ObservedEvent) -> bool:
        """Keep it, and let the oldest go; False if this very event is kept already."""
        with self._lock:
            known = self._by_event.setdefault(event.event_id, [])
            same = (event.bus, event.envelope_id, event.at)
            if any((each.bus, each.envelope_id, each.at) == same for each in known):
                return False
            known.append(event)
            self._order.append(event)
            self._by_aggregate.setdefault(event.aggregate_id, []).append(event)
            self._by_aggregate.move_to_end(event.aggregate_id)
            self._bytes += len(event.body)
            while len(self._order) > self._most or self._bytes > self._most_bytes:
                self._forget(self._order.popleft())
        return True

    def of_aggregate(self, aggregate_id: str) -> list[ObservedEvent]:
        with self._lock:
            return list(self._by_aggregate.get(aggregate_id, ()))

    def event_type(self, event_id: str) -> str | None:
        """The type of an event that was seen; None if it was not, or is forgotten."""
        with self._lock:
            found = self._by_event.get(event_id)
            return found[0].event_type if found else None

    def aggregate_named(self, name: str) -> str | None:
        """The aggregate with this id, or that an event or a correlation id belongs to."""
        with self._lock:
            if name in self._by_aggregate:
                return name
            if found := self._by_event.get(name):
                return found[0].aggregate_id
            return next(
                (each.aggregate_id for each in self._order if each.correlation_id == name), None
            )

    def recent(self, limit: int) -> list[tuple[str, Sequence[ObservedEvent]]]:
        """The aggregates that something happened to last, newest first."""
        with self._lock:
            newest = list(self._by_aggregate)[-limit:][::-1] if limit else []
            return [(each, tuple(self._by_aggregate[each])) for each in newest]

    def __len__(self) -> int:
        return len(self._order)

    def _forget(self, event: ObservedEvent) -> None:
        self._bytes -= len(event.body)
        for index, key in (
            (self._by_aggregate, event.aggregate_id),
            (self._by_event, event.event_id),
        ):
            index[key].remove(event)
            if not index[key]:
                del index[key]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
