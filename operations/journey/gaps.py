"""What should have happened to an event and has not, and where the event probably is. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.names import EventType
from operations.journey.by_event import EvidenceByEvent
from operations.output import age
from operations.sources.ledger import EventKey, handled
from operations.sources.routes import Route

NOT_FOUND_ANYWHERE = "not found in any outbox, bus log or queue"


@dataclass(frozen=True, slots=True)
class Gap:
    """`occurred_at` is when the event was committed, None if unknown; `lost`: it was not found."""

    event_type: str
    event_id: str | None
    what: str
    probably: str
    occurred_at: datetime | None = None
    lost: bool = False

    def as_document(self) -> dict[str, Any]:
        return {
            "eventType": self.event_type,
            "eventId": self.event_id,
            "what": self.what,
            "probably": self.probably,
        }


class Gaps:
    """`taps` has the queue between a bus and its log, where there is one."""

    def __init__(
        self,
        by_event: EvidenceByEvent,
        routes: Mapping[EventType, Route],
        taps: Mapping[str, str],
    ) -> None:
        self._found, self._taps = by_event, taps
        self._routes = {str(event_type): route for event_type, route in routes.items()}

    def of(self, key: EventKey) -> Iterator[Gap]:
        """Compare an event's route with what was found of it."""
        route = self._routes.get(key.event_type)
        if route is None:
            return
        buses = {bus for bus, _ in self._found.events.get(key, ())}
        if key not in self._found.committed:
            what = f"its commit: {route.domain} does not know of it"
            yield self._gap(key, what, "it never was")
        if route.bus not in buses:
            where = self._before_bus(key, route)
            yield self._gap(key, f"publication on {route.bus}", where, "see `streamed audit`")
            return
        for hop in route.hops:
            if hop.bus not in buses:
                where = self._dead(key, hop.dlq) or self._waits_in(self._taps.get(hop.bus))
                yield self._gap(key, f"{hop.rule} to {hop.bus}", where, _replay(hop.origin))
        states = self._found.all.states
        for delivery in route.deliveries:
            state = states.get(delivery.domain)
            if delivery.bus in buses and not handled(key, delivery.domain, state):
                where = self._dead(key, delivery.dlq) or self._waits_in(delivery.queue)
                what = f"handling by {delivery.domain}"
                yield self._gap(key, what, where, _replay(delivery.bus))

    def _gap(self, key: EventKey, what: str, where: str | None, advice: str = "") -> Gap:
        found = self._found
        return Gap(
            event_type=key.event_type,
            event_id=found.event_id(key),
            what=what,
            probably=where or f"{NOT_FOUND_ANYWHERE}: {advice}",
            occurred_at=found.occurred_at(key),
            lost=where is None,
        )

    def _before_bus(self, key: EventKey, route: Route) -> str | None:
        if row := self._found.rows.get(key):
            if row.problem is not None:
                return f"in {row.outbox}: {row.relay} cannot publish it ({row.problem})"
            waited = age(self._found.all.read_at - row.occurred_at)
            return f"in {row.outbox} for {waited}: {row.relay} has yet to publish it"
        return (
            self._dead(key, route.set_aside)
            or self._waits_in(route.outbox)
            or self._waits_in(route.between)
            or self._waits_in(self._taps.get(route.bus))
        )

    def _dead(self, key: EventKey, queue: str | None) -> str | None:
        for dead_letter in self._found.dead_letters.get(key, ()):
            if dead_letter.queue == queue:
                return f"in {queue}: `streamed dlq show {dead_letter.message_id}`"
        return None

    def _waits_in(self, queue: str | None) -> str | None:
        count = self._found.all.waiting.get(queue, 0) if queue else 0
        return f"{count} wait in {queue}, this may be one of them" if count else None


def _replay(bus: str) -> str:
    return f"`streamed replay --bus {bus}` brings it again"
