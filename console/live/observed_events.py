"""The events that the console's taps brought: the newest of them, in bounded memory."""

import json
import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Self

from contracts.envelope import NotAnEvent, ReceivedEvent
from contracts.first_version import upcast
from operations.sources.bus_logs import BusEvent, Unreadable, parse_line
from runtime.masking import masked

MOST_EVENTS = 5_000
MOST_KEPT_BYTES = 16 * 1024 * 1024
"""Of the bodies kept; the oldest events go first."""


@dataclass(frozen=True, slots=True)
class ObservedEvent(BusEvent):
    """An event on one bus, `own` if it is its publisher's; `body` is JSON without bank details."""

    bus: str
    own: bool
    source: str
    correlation_id: str
    traceparent: str | None
    body: str

    @classmethod
    def of(cls, event: BusEvent, message: str, *, bus: str, domain: str) -> Self:
        """Add what the page shows beside it; `domain` owns the bus."""
        envelope = masked(json.loads(message))
        metadata = upcast(event.envelope_id, event.event_type, envelope["detail"])["metadata"]
        source = str(envelope.get("source", ""))
        return cls(
            **{each.name: getattr(event, each.name) for each in fields(BusEvent)},
            bus=bus,
            own=source == f"app.{domain}",
            source=source,
            correlation_id=str(metadata.get("correlationId", "")),
            traceparent=metadata.get("traceparent"),
            body=json.dumps(envelope, separators=(",", ":")),
        )

    @property
    def domain(self) -> str:
        return self.source.removeprefix("app.")

    def envelope(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


def parse_observed(body: str, *, at: datetime, bus: str, domain: str) -> ObservedEvent:
    """Read what a bus that `domain` owns carried, as a tap had it. Raises NotAnEvent."""
    ReceivedEvent.parse(body)
    event = parse_line(body, 0, 0)
    if isinstance(event, Unreadable):
        raise NotAnEvent(event.reason)
    on_bus = replace(event, time=at, logged_at=at)
    return ObservedEvent.of(on_bus, body, bus=bus, domain=domain)


class ObservedEvents:
    """The newest events, by aggregate; any thread may add and ask."""

    def __init__(self, *, most: int = MOST_EVENTS, most_bytes: int = MOST_KEPT_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._lock = threading.Lock()
        self._order: deque[ObservedEvent] = deque()
        self._by_aggregate: OrderedDict[str, list[ObservedEvent]] = OrderedDict()
        self._bytes = 0

    def add(self, event: ObservedEvent) -> bool:
        """Keep it, and let the oldest go; False if this very event is kept already."""
        with self._lock:
            known = self._by_aggregate.setdefault(event.aggregate_id, [])
            same = (event.event_id, event.bus, event.envelope_id, event.at)
            if any((each.event_id, each.bus, each.envelope_id, each.at) == same for each in known):
                return False
            known.append(event)
            self._order.append(event)
            self._by_aggregate.move_to_end(event.aggregate_id)
            self._bytes += len(event.body)
            while len(self._order) > self._most or self._bytes > self._most_bytes:
                self._forget(self._order.popleft())
        return True

    def of_aggregate(self, aggregate_id: str) -> list[ObservedEvent]:
        with self._lock:
            return list(self._by_aggregate.get(aggregate_id, ()))

    def aggregate_named(self, name: str) -> str | None:
        """The aggregate with this id, or that an event or a correlation id belongs to."""
        with self._lock:
            if name in self._by_aggregate:
                return name
            named = (each for each in self._order if name in (each.event_id, each.correlation_id))
            return next((each.aggregate_id for each in named), None)

    def recent(self, limit: int) -> list[tuple[str, Sequence[ObservedEvent]]]:
        """The aggregates that something happened to last, newest first."""
        with self._lock:
            newest = list(self._by_aggregate)[-limit:][::-1] if limit else []
            return [(each, tuple(self._by_aggregate[each])) for each in newest]

    def _forget(self, event: ObservedEvent) -> None:
        self._bytes -= len(event.body)
        mine = self._by_aggregate[event.aggregate_id]
        mine.remove(event)
        if not mine:
            del self._by_aggregate[event.aggregate_id]
