"""What should have happened to an event and has not, and where the event probably is. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from operations.journey.by_event import EventEvidence
from operations.journey.evidence import Evidence
from operations.output import age, as_document
from operations.sources.ledger import handled
from operations.sources.routes import Route, log_dlq_of

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
        return as_document(self, "event_type", "event_id", "what", "probably")


class Gaps:
    """`taps` has the queue between a bus and its log, where there is one."""

    def __init__(self, evidence: Evidence, taps: Mapping[str, str]) -> None:
        self._evidence, self._taps = evidence, taps

    def of(self, found: EventEvidence) -> Iterator[Gap]:
        """Compare an event's route with what was found of it."""
        route = found.route
        if route is None:
            return
        buses = {bus for bus, _ in found.on_buses}
        if found.committed is None:
            what = f"its commit: {route.domain} does not know of it"
            yield _gap(found, what, "it never was")
        if route.bus not in buses:
            where = self._before_bus(found, route)
            yield _gap(found, f"publication on {route.bus}", where, "see `streamed audit`")
            return
        taken = route.taken_by(found.on_buses[0][1].routed_by)
        for hop in taken.hops:
            if hop.bus not in buses:
                where = _dead(found, hop.dlq) or self._before_log(found, hop.bus)
                yield _gap(found, f"{hop.rule} to {hop.bus}", where, _replay(route))
        for delivery in taken.deliveries:
            state = self._evidence.states.get(delivery.domain)
            if delivery.bus in buses and not handled(found.key, state):
                where = _dead(found, delivery.dlq) or self._waits_in(delivery.queue)
                what = f"handling by {delivery.domain}"
                yield _gap(found, what, where, _replay(route))

    def _before_bus(self, found: EventEvidence, route: Route) -> str | None:
        if row := found.row:
            if row.problem is not None:
                return f"in {row.outbox}: {row.relay} cannot publish it ({row.problem})"
            waited = age(self._evidence.read_at - row.occurred_at)
            return f"in {row.outbox} for {waited}: {row.relay} has yet to publish it"
        return (
            _dead(found, route.set_aside)
            or self._waits_in(route.outbox)
            or self._waits_in(route.between)
            or self._before_log(found, route.bus)
        )

    def _before_log(self, found: EventEvidence, bus: str) -> str | None:
        """It was on the bus, and is not in the bus's log."""
        return _dead(found, log_dlq_of(bus)) or self._waits_in(self._taps.get(bus))

    def _waits_in(self, queue: str | None) -> str | None:
        count = self._evidence.waiting.get(queue, 0) if queue else 0
        return f"{count} wait in {queue}, this may be one of them" if count else None


def _gap(found: EventEvidence, what: str, where: str | None, advice: str = "") -> Gap:
    return Gap(
        event_type=found.key.event_type,
        event_id=found.event_id,
        what=what,
        probably=where or f"{NOT_FOUND_ANYWHERE}: {advice}",
        occurred_at=found.occurred_at,
        lost=where is None,
    )


def _dead(found: EventEvidence, queue: str | None) -> str | None:
    for dead_letter in found.dead_letters:
        if dead_letter.queue == queue:
            return f"in {queue}: `streamed dlq show {dead_letter.message_id}`"
    return None


def _replay(route: Route) -> str:
    """From its source's own bus: another's archive need not have it."""
    return f"`streamed replay --bus {route.bus}` brings it again"
