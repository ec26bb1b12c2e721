"""Everything that the console can learn of one subscription, from AWS and the three APIs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.apis import Api
from console.follow.stated import State, state_of
from console.live.sightings import Sighting, masked
from console.parts import Parts
from contracts.envelope import Metadata
from operations.place import Place
from operations.sources.bus_logs import BusEvent, read_messages
from operations.sources.dead_letters import DeadLetter
from operations.sources.hold import MOST
from operations.sources.peeking import open_queues, peek
from operations.sources.routes import log_group_of, routes
from operations.where.search import made_at
from operations.where.waiting import WaitingRow, waiting_row
from runtime.aws import asking
from runtime.ids import utc_now
from runtime.outbox.dynamodb_rows import row_of
from runtime.outbox.stats import OutboxStats

LOOK_BACK = timedelta(days=1)
"""How far back the buses' logs are searched for a name that does not tell when it was made."""

SKEW = timedelta(minutes=5)
"""How far the clocks of two machines may differ, and how much a line's whole second cuts off."""

AT_ONCE = 6


@dataclass(frozen=True)
class Gathered:
    """What was found; `waiting` is how much each queue and outbox holds, of anybody's."""

    aggregate_id: str
    read_at: datetime
    states: Mapping[str, State]
    seen: Sequence[Sighting]
    rows: Sequence[WaitingRow]
    letters: Sequence[DeadLetter]
    waiting: Mapping[str, int]


def aggregate_named(parts: Parts, name: str) -> str | None:
    """Find the subscription that an id stands for: its own, an event's or a correlation id.

    Raises Unavailable.
    """
    found = parts.sightings.aggregate_named(name)
    if found is not None:
        return found
    if any(state.status == 200 for state in _states(parts, name).values()):  # noqa: PLR2004
        return name
    since = made_at(name) or utc_now() - LOOK_BACK
    return next((each.aggregate_id for each in _logged(parts.place, name, since)), None)


def gather(parts: Parts, aggregate_id: str, *, with_logs: bool) -> Gathered:
    """Collect what there is of a subscription; raises Unavailable."""
    reading = parts.watch.reading
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="follow") as pool:
        rows = pool.submit(lambda: list(_rows(parts.place, aggregate_id)))
        dead = [each for each in parts.graph.nodes if each.kind == "dead-letter queue"]
        filled = [n.name for n in dead if (d := reading.depths.get(n.name)) and d.visible]
        letters = pool.submit(lambda: list(_letters(parts.place, filled, aggregate_id)))
        states = _states(parts, aggregate_id)
        seen = parts.sightings.of_aggregate(aggregate_id)
        if with_logs:
            times = [each.created for each in states.values() if each.created]
            since = min([*times, *(each.occurred_at for each in seen)], default=None)
            lines = _logged(parts.place, aggregate_id, (since or utc_now() - LOOK_BACK) - SKEW)
            known = {(each.bus, each.envelope_id) for each in seen}
            seen += [each for each in lines if (each.bus, each.envelope_id) not in known]
        waiting = {name: depth.total for name, depth in reading.depths.items()}
        for outbox in ("payments",):
            found = reading.outboxes.get(outbox)
            if isinstance(found, OutboxStats):
                waiting[_outbox_name(outbox)] = found.depth
        return Gathered(
            aggregate_id, utc_now(), states, seen, rows.result(), letters.result(), waiting
        )


def _outbox_name(domain: str) -> str:
    """What a route calls the outbox of a domain."""
    return next(each.outbox for each in routes().values() if each.domain == domain)


def _states(parts: Parts, aggregate_id: str) -> dict[str, State]:
    with ThreadPoolExecutor(len(parts.apis.all), thread_name_prefix="states") as pool:

        def ask(api: Api) -> State:
            return state_of(api, aggregate_id)

        return dict(zip(parts.apis.all, pool.map(ask, parts.apis), strict=True))


def _rows(place: Place, aggregate_id: str) -> Iterator[WaitingRow]:
    """Read the outbox rows that DynamoDB has; the payments' are in a database we do not know."""
    for relay in place.workloads:
        if relay.empties is None:
            continue
        client = place.aws(relay.domain).client("dynamodb")
        with asking("DynamoDB"):
            items = client.query(
                TableName=relay.empties,
                KeyConditionExpression="aggregateId = :id",
                ExpressionAttributeValues={":id": {"S": aggregate_id}},
                ConsistentRead=True,
            )["Items"]
        for item in items:
            row = row_of(item)
            yield waiting_row(row, domain=relay.domain, outbox=relay.empties, relay=relay.name)


def _letters(place: Place, queues: Sequence[str], aggregate_id: str) -> Iterator[DeadLetter]:
    opened = [queue for name in queues for queue in open_queues(place, name)]
    for found in peek(opened, most=MOST):
        for letter in found.letters:
            if letter.event.aggregate_id == aggregate_id:
                yield letter


def _logged(place: Place, name: str, since: datetime) -> Iterator[Sighting]:
    """Read the events that name an id from the buses' logs."""
    buses = [(bus.name, domain.name) for domain in place.topology.domains for bus in domain.buses]

    def read(bus_and_domain: tuple[str, str]) -> list[Sighting]:
        bus, domain = bus_and_domain
        logs = place.aws(domain).client("logs")
        lines = read_messages(logs, log_group_of(bus, place.topology), since=since, containing=name)
        return [
            _of_line(line, message, bus, domain)
            for line, message in lines
            if isinstance(line, BusEvent)
        ]

    with ThreadPoolExecutor(len(buses), thread_name_prefix="logs") as pool:
        for found in pool.map(read, buses):
            yield from found


def _of_line(line: BusEvent, message: str, bus: str, domain: str) -> Sighting:
    """A log's time may be cut to seconds: nothing was on a bus before it happened."""
    envelope: dict[str, Any] = masked(message)
    metadata = Metadata.model_validate(envelope["detail"]["metadata"])
    source = str(envelope.get("source", ""))
    return Sighting(
        at=line.logged_at if line.replay_name else max(line.time, line.occurred_at),
        bus=bus,
        own=source == f"app.{domain}",
        source=source,
        event_type=line.event_type,
        event_id=line.event_id,
        aggregate_id=line.aggregate_id,
        sequence=line.sequence,
        occurred_at=line.occurred_at,
        correlation_id=metadata.correlation_id,
        causation_id=line.causation_id,
        traceparent=metadata.traceparent,
        envelope_id=line.envelope_id,
        replay_name=line.replay_name,
        body=json.dumps(envelope),
    )
