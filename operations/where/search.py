"""Looks for one subscription, or one event, in state, outboxes, bus logs and queues."""

from collections.abc import Iterator
from datetime import UTC, datetime

from infra.topology import LIFECYCLES
from operations.audit.collect import count_after_logs, count_before_logs
from operations.databases import DatabaseEnvironment
from operations.errors import OperatorError
from operations.journey.evidence import (
    Evidence,
    OutboxRow,
    made_at,
    read_bus_log,
    read_dead_letters,
)
from operations.sources.aggregate_states import read_state
from operations.sources.bus_logs import SKEW, BusEvent
from operations.sources.ledger import AggregateState
from operations.sources.outboxes import pending
from operations.sources.peeking import open_queues


def find(environment: DatabaseEnvironment, name: str) -> tuple[str, str | None]:
    """Find out which aggregate an id names, and which event of it, or None for all of them.

    Raises OperatorError for an id that nothing has, Unavailable.
    """
    if not name:
        raise OperatorError("the id is empty: give a subscription's or an event's")
    if _states(environment, name):
        return name, None
    for row in _rows(environment):
        if name in (row.event_id, row.key.aggregate_id):
            return row.key.aggregate_id, name if name == row.event_id else None
    for _, event in _events(environment, name, since=made_at(name)):
        if name in (event.event_id, event.aggregate_id):
            return event.aggregate_id, name if name == event.event_id else None
    for each in read_dead_letters(open_queues(environment)):
        inside = each.event
        if name in (inside.event_id, inside.aggregate_id, each.message_id) and inside.aggregate_id:
            return inside.aggregate_id, None if name == inside.aggregate_id else inside.event_id
    raise OperatorError(
        f"{name!r} not found: no subscription, stock or payment has this id, and no event in"
        " an outbox, a bus's log or a dead-letter queue"
    )


def gather(environment: DatabaseEnvironment, aggregate_id: str) -> Evidence:
    """Collect all there is of one aggregate, in the order that audit/collect.py explains.

    States are read twice: first for the time from which logs are read, last for what became of the
    events that were found. Raises Unavailable.
    """
    known = _states(environment, aggregate_id)
    first = min((each.created for each in known.values()), default=None)
    rows = [row for row in _rows(environment) if row.key.aggregate_id == aggregate_id]
    waiting = count_before_logs(environment)
    events = [
        (bus, event)
        for bus, event in _events(environment, aggregate_id, since=first - SKEW if first else None)
        if event.aggregate_id == aggregate_id
    ]
    waiting |= count_after_logs(environment)
    found = read_dead_letters(open_queues(environment))
    dead = [each for each in found if each.event.aggregate_id == aggregate_id]
    return Evidence(
        aggregate_id=aggregate_id,
        read_at=datetime.now(UTC),
        states=_states(environment, aggregate_id),
        rows=rows,
        events=events,
        dead_letters=dead,
        waiting=waiting,
    )


def _states(environment: DatabaseEnvironment, aggregate_id: str) -> dict[str, AggregateState]:
    found = {domain: read_state(environment, domain, aggregate_id) for domain in LIFECYCLES}
    return {domain: each for domain, each in found.items() if each is not None}


def _rows(environment: DatabaseEnvironment) -> Iterator[OutboxRow]:
    for outbox in pending(environment):
        for row in outbox.rows():
            yield OutboxRow.of(row, domain=outbox.domain, outbox=outbox.name, relay=outbox.relay)


def _events(
    environment: DatabaseEnvironment, name: str, *, since: datetime | None
) -> Iterator[tuple[str, BusEvent]]:
    for bus in environment.topology.buses:
        for event, _ in read_bus_log(environment, bus.name, name, since=since):
            yield bus.name, event
