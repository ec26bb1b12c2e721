"""Committed documents → FIFO queue, and FIFO queue → bus: each process beside its floor.

mongod is the real one; the queue and the bus are a stub's.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from uuid import uuid4

from local.provision import provision_documentdb
from runtime.ids import utc_now
from runtime.sqs.queue import find_url
from verification.benchmarks.baseline import BASELINE, baseline
from verification.benchmarks.contenders import SHORT_POLL, fill, floor
from verification.benchmarks.floors.aws import cut
from verification.benchmarks.lines import BenchmarkLine, Goal
from verification.benchmarks.rows.relay_stub import LEAN_FLOOR, LOGGED, RAW_FLOOR
from verification.benchmarks.sizes import Size
from verification.benchmarks.stubbed import (
    RATE,
    Contender,
    State,
    Stub,
    contending,
    depth,
    is_unpublished,
    lines_of,
    raced,
    running_stub,
)
from verification.load.outboxes import BACKLOG, LoadedCollection, a_record
from verification.testkit.engines import Engines

STREAM_ROW = "Change stream: committed documents → FIFO queue"
FORWARD_ROW = "Forwarder: FIFO queue → bus"
STREAM, FORWARD = "payments-change-stream", "payments-forward"
_OURS = {STREAM: "change-stream relay", FORWARD: "forwarder"}
FLOORS = {STREAM: "change_stream", FORWARD: "forward"}
FIFO_QUEUE = "payment-events.fifo"

STREAM_GOAL = Goal("at least", 1.0, "change stream / its floor without botocore", "0.97 with it")
FORWARD_GOAL = Goal("at least", 1.0, "forwarder / its floor without botocore", "")

Make = Callable[[str, Stub, str], Any]


def run(engines: Engines, size: Size) -> Sequence[BenchmarkLine]:
    return [
        *_lines(engines, size, STREAM_ROW, STREAM, STREAM_GOAL),
        *_lines(engines, size, FORWARD_ROW, FORWARD, FORWARD_GOAL),
    ]


def _lines(
    engines: Engines, size: Size, row: str, workload: str, goal: Goal
) -> Iterator[BenchmarkLine]:
    names = [_OURS[workload], LEAN_FLOOR, *([BASELINE] if baseline() else [])]
    names += [] if size.is_quick else [RAW_FLOOR]
    make = _streaming if workload == STREAM else _forwarding
    with ExitStack() as stack:
        contenders = {
            name: stack.enter_context(make(name, stack.enter_context(_stub(engines))))
            for name in names
        }
        found = raced(contenders, size)
    yield from lines_of(row, found, "event", {(RATE, LEAN_FLOOR): goal})


@contextmanager
def _stub(engines: Engines) -> Iterator[Stub]:
    """Give one with a database of its own: each contender empties an outbox of its own."""
    database = f"bench-{uuid4().hex[:8]}"
    provision_documentdb(engines.mongodb_uri, database)
    with running_stub(engines.folder, mongodb_uri=engines.mongodb_uri, database=database) as stub:
        yield stub


@contextmanager
def _streaming(name: str, stub: Stub) -> Iterator[Contender]:
    outbox = LoadedCollection(stub.engines)

    def is_left(state: State, before: State, pieces: int) -> bool:
        is_unsent = depth(state, FIFO_QUEUE) - depth(before, FIFO_QUEUE) < pieces
        return is_unsent or outbox.collection.find_one({}, {"_id": 1}) is not None

    load = partial(fill, outbox)
    with contending(stub, _process(name, stub, STREAM), load, is_left, None) as contender:
        yield contender


@contextmanager
def _forwarding(name: str, stub: Stub) -> Iterator[Contender]:
    def is_left(state: State, before: State, pieces: int) -> bool:
        return is_unpublished(state, before, pieces) or depth(state, FIFO_QUEUE) > 0

    load, ended = partial(_send, stub), "receivedAndDeletedAt"
    with contending(stub, _process(name, stub, FORWARD), load, is_left, ended) as contender:
        yield contender


def _process(name: str, stub: Stub, workload: str) -> Any:
    engines, root = stub.engines, baseline()
    settings = {**LOGGED, **(SHORT_POLL if workload == FORWARD else {})}
    if name in {LEAN_FLOOR, RAW_FLOOR}:
        client: Any = "lean" if name == LEAN_FLOOR else "boto3"
        return floor(engines, FLOORS[workload], workload, client=client)
    if name == BASELINE and root is not None:
        return engines.running(workload, settings, root=root)
    return engines.running(workload, settings)


def _send(stub: Stub, messages: int) -> None:
    """Put records into the FIFO queue as the change stream's relay does, each of a group alone."""
    sqs: Any = stub.engines.aws.client("sqs")
    url = find_url(sqs, FIFO_QUEUE)
    outbox = LoadedCollection(stub.engines)
    records = [a_record(outbox, str(uuid4()), 1, utc_now(), BACKLOG) for _ in range(messages)]
    for some in cut(records, 10):
        sqs.send_message_batch(
            QueueUrl=url,
            Entries=[
                {
                    "Id": each.event_id,
                    "MessageBody": each.to_json(),
                    "MessageGroupId": each.aggregate_id,
                    "MessageDeduplicationId": each.event_id,
                }
                for each in some
            ],
        )
