"""Reads the whole system once, in the one order in which nothing that moves can hide."""

from collections.abc import Iterable
from datetime import datetime

from contracts.outbox import ROW_KEY, OutboxRecord
from infra.taps import taps_of, with_taps
from operations.audit.snapshot import CommittedRow, Snapshot
from operations.databases import DatabaseEnvironment
from operations.environment import Environment
from operations.sources.aggregate_states import states_since
from operations.sources.bus_logs import SKEW, log_of, read_bus
from operations.sources.dead_letters import DeadLetter
from operations.sources.depths import held
from operations.sources.lease import MAX_MESSAGES
from operations.sources.ledger import EventKey, types_of
from operations.sources.origins import work_queues
from operations.sources.outboxes import pending
from operations.sources.peeking import Peek, open_queues, peek
from operations.sources.reservations import read_reservations
from runtime.outbox.rows import Row


def collect(environment: DatabaseEnvironment, since: datetime, until: datetime) -> Snapshot:
    """Read state, outboxes, queues, logs, dead-letter queues, and state again; raises Unavailable.

    The order is what makes an audit of a running system fair. An event only ever moves this way:

        state + outbox → (FIFO queue) → bus → log
                                        bus → next bus → work queue → state, or dead-letter queue

    Reading in that direction meets an event that moves meanwhile once more, never not at all:
    whatever has left a place before it was read has come to a later one before that is read. So
    state comes first, for what was committed: all of that is then in an outbox, or further on. And
    state comes last, for two other questions: whether an event that was seen was committed (rows
    never go away, so what was seen before is in it now), and whether it has been handled.

    Three things move otherwise, and are the reason why what is missing in one look is only a
    suspect (see command.py): a log line and a delivery come some time after PutEvents has answered;
    events cross buses in both directions, and one log is read before another; and a person who
    redrives or replays moves messages back.
    """
    snapshot = Snapshot(since, until)
    for state in states_since(environment, since - SKEW):
        snapshot.add_committed(state)
    for outbox in pending(environment):
        for row in outbox.rows():
            if isinstance(row.content, OutboxRecord):
                record = row.content
                key = EventKey(record.event_type, record.aggregate_id, record.sequence)
                snapshot.add_row(
                    key, CommittedRow(outbox.domain, record.event_id, record.occurred_at)
                )
            else:
                key = _key_of_row(snapshot, outbox.domain, row)
                snapshot.add_malformed(key, outbox.name, str(row.content.error))
    snapshot.waiting |= count_before_logs(environment)
    for bus in environment.topology.buses:
        for event, _ in read_bus(*log_of(environment, bus.name), since=since - SKEW):
            snapshot.add_event(bus.name, event)
    snapshot.waiting |= count_after_logs(environment)
    for seen in peek(open_queues(environment), most=MAX_MESSAGES):
        _enter_dead(snapshot, seen)
    for state in states_since(environment, since - SKEW):
        snapshot.add_state(state)
    snapshot.reservations += read_reservations(environment)
    return snapshot


def _key_of_row(snapshot: Snapshot, domain: str, row: Row) -> EventKey:
    """Name a row that cannot be read: of the events that it may be, the one that was committed."""
    names = [str(each) for each in types_of(domain, row.sequence)] or ["?"]
    keys = [EventKey(name, row.aggregate_id, row.sequence) for name in names]
    return next((key for key in keys if key in snapshot.committed), keys[0])


def taps(environment: Environment) -> dict[str, str]:
    """Map each bus to the queue between it and its log group, where an emulator needs one."""
    if not environment.emulated:
        return {}
    return {tap.bus: tap.queue for tap in taps_of(environment.topology)}


def count_before_logs(environment: Environment) -> dict[str, int]:
    """Count the messages that are on their way to a bus, or to its log. Raises Unavailable."""
    fifo = [each.name for each in work_queues(environment.topology) if each.fifo]
    return _counts(environment, [*fifo, *taps(environment).values()])


def count_after_logs(environment: Environment) -> dict[str, int]:
    """Count the messages that are on their way from a bus to a consumer. Raises Unavailable."""
    queues = work_queues(environment.topology)
    return _counts(environment, [each.name for each in queues if not each.fifo])


def _counts(environment: Environment, queues: Iterable[str]) -> dict[str, int]:
    domain_of = with_taps(environment.topology).domain_of_queue
    return {queue: held(environment, domain_of(queue), queue) for queue in queues}


def _enter_dead(snapshot: Snapshot, seen: Peek) -> None:
    """Enter what a dead-letter queue holds; what cannot be named, or received, is counted."""
    keys = [key for key in map(_key, seen.dead_letters) if key is not None]
    # Lambda names a batch: its rows are still in the outbox, so it is no event's dead letter.
    # So is a row that stays in its outbox, of which the key alone is here.
    batches = sum(
        1
        for dead_letter in seen.dead_letters
        if dead_letter.putter == "lambda" or dead_letter.encoding == ROW_KEY
    )
    dead = snapshot.dead[seen.origin.dlq]
    dead.named.update(keys)
    dead.unnamed = max(0, len(seen.dead_letters) + seen.unseen - len(keys) - batches)


def _key(dead_letter: DeadLetter) -> EventKey | None:
    event = dead_letter.event
    if event.event_type is None or event.aggregate_id is None or event.sequence is None:
        return None
    return EventKey(event.event_type, event.aggregate_id, event.sequence)
