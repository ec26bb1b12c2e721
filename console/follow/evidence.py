"""What the console can find out about one subscription: from AWS, its taps and the three APIs."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from console.follow.api_state import ApiState, state_of
from console.live.measures import Reading
from console.live.observed_events import ObservedEvent
from console.parts import Parts
from contracts.names import EventType
from operations.environment import Environment
from operations.journey.evidence import (
    Evidence,
    OutboxRow,
    made_at,
    read_bus_log,
    read_dead_letters,
)
from operations.journey.timeline import Journey, build
from operations.sources.bus_logs import SKEW
from operations.sources.dead_letters import DeadLetter
from operations.sources.peeking import open_queue
from operations.sources.routes import routes
from runtime.aws import asking
from runtime.ids import utc_now
from runtime.outbox.dynamodb_rows import row_of
from runtime.outbox.stats import OutboxStats

LOG_LOOK_BACK = timedelta(days=1)
"""How far back the buses' logs are searched for a name without a time in it."""

FOLLOW_THREADS = 6


States = Mapping[str, ApiState]
"""What each API says."""


def aggregate_named(parts: Parts, name: str) -> str | None:
    """Find the subscription that an id names: its own, an event's or a correlation id.

    Raises Unavailable.
    """
    found = parts.observed.aggregate_named(name)
    if found is not None:
        return found
    if any(state.status == 200 for state in _states(parts, name).values()):  # noqa: PLR2004
        return name
    since = made_at(name) or utc_now() - LOG_LOOK_BACK
    return next((each.aggregate_id for each in _logged(parts.environment, name, since)), None)


def gather(
    parts: Parts, aggregate_id: str, *, with_logs: bool
) -> tuple[Journey, States, Sequence[ObservedEvent]]:
    """Collect what there is of a subscription, and make a journey of it; raises Unavailable."""
    waiting = _waiting(parts.watch.reading)
    with ThreadPoolExecutor(FOLLOW_THREADS, thread_name_prefix="follow") as pool:
        rows = pool.submit(lambda: list(_rows(parts.environment, aggregate_id)))
        dead = pool.submit(lambda: _dead_letters(parts, aggregate_id))
        states = _states(parts, aggregate_id)
        observed = parts.observed.of_aggregate(aggregate_id)
        if with_logs:
            times = [state.created for each in states.values() if (state := each.aggregate_state())]
            times += [each.occurred_at for each in observed]
            since = min(times, default=utc_now() - LOG_LOOK_BACK)
            logged = _logged(parts.environment, aggregate_id, since - SKEW)
            known = {(each.bus, each.envelope_id) for each in observed}
            observed += [each for each in logged if (each.bus, each.envelope_id) not in known]
        journey = journey_of(
            aggregate_id,
            states,
            observed,
            read_at=utc_now(),
            rows=rows.result(),
            dead_letters=dead.result(),
            waiting=waiting,
        )
    return journey, states, observed


def journey_of(
    aggregate_id: str, states: States, observed: Sequence[ObservedEvent], **found: Any
) -> Journey:
    """Put states and observed events together, beside what else was `found` as evidence."""
    known = [state for each in states.values() if (state := each.aggregate_state())]
    evidence = Evidence(
        aggregate_id=aggregate_id,
        states={each.domain: each for each in known},
        events=[(each.bus, _in_order(each, observed)) for each in observed],
        **found,
    )
    return build(evidence, routes(), {})


def _waiting(reading: Reading) -> dict[str, int]:
    waiting = {name: depth.total for name, depth in reading.depths.items()}
    payments = reading.outboxes.get("payments")
    if isinstance(payments, OutboxStats):
        waiting[routes()[EventType.PAYMENT_CREATED].outbox] = payments.depth
    return waiting


def _in_order(event: ObservedEvent, observed: Sequence[ObservedEvent]) -> ObservedEvent:
    """Taps' queues fill in any order: an event was on its own bus before it was on another."""
    if not event.own or event.replay_name is not None:
        return event
    same = (each for each in observed if each.event_id == event.event_id and not each.own)
    at = min([event.at, *(each.at for each in same if each.replay_name is None)])
    return replace(event, time=at, logged_at=at)


def _states(parts: Parts, aggregate_id: str) -> dict[str, ApiState]:
    with ThreadPoolExecutor(len(parts.apis), thread_name_prefix="states") as pool:
        states = pool.map(lambda api: state_of(api, aggregate_id), parts.apis.values())
        return dict(zip(parts.apis, states, strict=True))


def _rows(environment: Environment, aggregate_id: str) -> Iterator[OutboxRow]:
    """Read the outbox rows that DynamoDB has; the payments' are in a database we do not know."""
    for relay in environment.workloads:
        if relay.empties is None:
            continue
        client = environment.aws(relay.domain).client("dynamodb")
        with asking("DynamoDB"):
            items = client.query(
                TableName=relay.empties,
                KeyConditionExpression="aggregateId = :id",
                ExpressionAttributeValues={":id": {"S": aggregate_id}},
                ConsistentRead=True,
            )["Items"]
        for item in items:
            yield OutboxRow.of(
                row_of(item), domain=relay.domain, outbox=relay.empties, relay=relay.name
            )


def _dead_letters(parts: Parts, aggregate_id: str) -> list[DeadLetter]:
    """Look into the queues that hold something, as the newest reading has it."""
    depths = parts.watch.reading.depths
    names = (each.name for each in parts.graph.nodes if each.kind == "dead-letter queue")
    filled = [name for name in names if name in depths and depths[name].visible]
    found = read_dead_letters([open_queue(parts.environment, name) for name in filled])
    return [each for each in found if each.event.aggregate_id == aggregate_id]


def _logged(environment: Environment, name: str, since: datetime) -> Iterator[ObservedEvent]:
    """Read the events that name an id from the buses' logs, all at once."""
    topology = environment.topology
    buses = [bus.name for bus in topology.buses]

    def read(bus: str) -> list[ObservedEvent]:
        domain = topology.domain_of_bus(bus)
        events = read_bus_log(environment, bus, name, since=since)
        return [ObservedEvent.of(event, text, bus=bus, domain=domain) for event, text in events]

    with ThreadPoolExecutor(len(buses), thread_name_prefix="logs") as pool:
        for found in pool.map(read, buses):
            yield from found
