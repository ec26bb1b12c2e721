"""Looks for one subscription, or one event, in every place that it can be in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from operations.audit.look import SKEW, taps
from operations.errors import OperatorError
from operations.place import Place
from operations.sources.bus_logs import BusEvent, read_bus
from operations.sources.dead_letters import DeadLetter
from operations.sources.depths import held
from operations.sources.hold import MOST
from operations.sources.ledger import LIFECYCLES, Standing
from operations.sources.origins import work_queues
from operations.sources.outboxes import pending
from operations.sources.peeking import open_queues, peek
from operations.sources.routes import log_group_of
from operations.sources.standings import standing
from operations.where.story import Evidence
from operations.where.waiting import WaitingRow, waiting_row

_UUID7 = 7


class NobodyKnows(OperatorError):
    def __init__(self, name: str) -> None:
        super().__init__(
            f"nobody knows {name!r}: no subscription, stock or payment has this id, and no event"
            " in an outbox, a bus's log or a dead-letter queue"
        )


@dataclass(frozen=True)
class Found:
    """What an id stands for; `event_id` is None where it names the subscription itself."""

    aggregate_id: str
    event_id: str | None


def find(place: Place, name: str) -> Found:
    """Find out what an id stands for. Raises NobodyKnows, Unavailable."""
    if _standings(place, name):
        return Found(name, None)
    for row in _rows(place):
        if name in (row.event_id, row.key.aggregate_id):
            return Found(row.key.aggregate_id, name if name == row.event_id else None)
    for _, line in _lines(place, name, since=made_at(name)):
        if name in (line.event_id, line.aggregate_id):
            return Found(line.aggregate_id, name if name == line.event_id else None)
    for letter in _letters(place):
        event = letter.event
        if name in (event.event_id, event.aggregate_id, letter.message_id) and event.aggregate_id:
            return Found(event.aggregate_id, None if name == event.aggregate_id else event.event_id)
    raise NobodyKnows(name)


def gather(place: Place, aggregate_id: str) -> Evidence:
    """Collect all there is of one aggregate, in the order that look.py explains. Unavailable."""
    known = _standings(place, aggregate_id)
    first = min((each.created for each in known.values()), default=None)
    rows = [row for row in _rows(place) if row.key.aggregate_id == aggregate_id]
    queues = work_queues(place.topology)
    waiting = {each.name: _held(place, each.name) for each in queues if each.fifo}
    waiting |= {
        queue: held(place, _bus_domain(place, bus), queue) for bus, queue in taps(place).items()
    }
    lines = [
        (bus, line)
        for bus, line in _lines(place, aggregate_id, since=first - SKEW if first else None)
        if line.aggregate_id == aggregate_id
    ]
    waiting |= {each.name: _held(place, each.name) for each in queues if not each.fifo}
    letters = [each for each in _letters(place) if each.event.aggregate_id == aggregate_id]
    return Evidence(
        aggregate_id=aggregate_id,
        read_at=datetime.now(UTC),
        standings=_standings(place, aggregate_id),
        rows=rows,
        lines=lines,
        letters=letters,
        waiting=waiting,
    )


def _standings(place: Place, aggregate_id: str) -> dict[str, Standing]:
    found = {domain: standing(place, domain, aggregate_id) for domain in LIFECYCLES}
    return {domain: each for domain, each in found.items() if each is not None}


def _rows(place: Place) -> Iterator[WaitingRow]:
    for outbox in pending(place):
        for row in outbox.rows():
            yield waiting_row(row, domain=outbox.domain, outbox=outbox.name, relay=outbox.relay)


def _lines(place: Place, name: str, *, since: datetime | None) -> Iterator[tuple[str, BusEvent]]:
    for domain in place.topology.domains:
        logs = place.aws(domain.name).client("logs")
        for bus in domain.buses:
            group = log_group_of(bus.name, place.topology)
            for line in read_bus(logs, group, since=since, containing=name):
                if isinstance(line, BusEvent):
                    yield bus.name, line


def _letters(place: Place) -> Iterator[DeadLetter]:
    for seen in peek(open_queues(place, None), most=MOST):
        yield from seen.letters


def _held(place: Place, queue: str) -> int:
    return held(place, place.topology.domain_of_queue(queue), queue)


def _bus_domain(place: Place, bus: str) -> str:
    return place.topology.domain_of_bus(bus)


def made_at(name: str) -> datetime | None:
    """When an event id was made, which a UUIDv7 tells (milliseconds in its first 48 bits)."""
    try:
        uuid = UUID(name)
    except ValueError:
        return None
    if uuid.version != _UUID7:
        return None
    return datetime.fromtimestamp((uuid.int >> 80) / 1000, UTC) - SKEW
