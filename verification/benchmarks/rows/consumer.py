"""Messages in a queue → effects committed, on a stub: the stock consumer beside a raw loop."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from verification.benchmarks.baseline import BASELINE, baseline
from verification.benchmarks.contenders import SHORT_POLL, floor
from verification.benchmarks.lines import BenchmarkLine, Goal
from verification.benchmarks.rows.relay_stub import LEAN_FLOOR, LOGGED
from verification.benchmarks.sizes import Size
from verification.benchmarks.stubbed import (
    A_CPU_SECOND,
    Contender,
    State,
    Stub,
    contending,
    depth,
    lines_of,
    raced,
    running_stub,
)
from verification.load import poison
from verification.load.queues import send_all
from verification.testkit.engines import Engines

ROW = "Consumer: messages → effects committed"
_CONSUMER, MINIMAL = "stock-consumer", "minimal boto3 consumer"
GOAL = Goal("at least", 1.5, "consumer / minimal boto3 consumer, events a CPU second", "about 1.0")


def run(engines: Engines, size: Size) -> Sequence[BenchmarkLine]:
    names = [_CONSUMER, MINIMAL, *([BASELINE] if baseline() else [])]
    names += [] if size.is_quick else [LEAN_FLOOR]
    with ExitStack() as stack:
        contenders = {
            name: stack.enter_context(
                _consuming(name, stack.enter_context(running_stub(engines.folder)))
            )
            for name in names
        }
        found = raced(contenders, size, dict.fromkeys(names, size.stub_events // 4))
    return list(lines_of(ROW, found, "event", {(A_CPU_SECOND, MINIMAL): GOAL}))


@contextmanager
def _consuming(name: str, stub: Stub) -> Iterator[Contender]:
    """It is done when each message is deleted, after a transaction for each."""

    def is_left(state: State, before: State, pieces: int) -> bool:
        return depth(state, poison.QUEUE) > 0 or _commits(state) - _commits(before) < pieces

    def load(messages: int) -> None:
        send_all(stub.engines, poison.QUEUE, poison.a_load(messages, 0).bodies)

    process, ended = _process(name, stub), "receivedAndDeletedAt"
    with contending(stub, process, load, is_left, ended) as contender:
        yield contender


def _process(name: str, stub: Stub) -> Any:
    engines, root = stub.engines, baseline()
    settings = {**LOGGED, **SHORT_POLL}
    if name in {MINIMAL, LEAN_FLOOR}:
        client: Any = "lean" if name == LEAN_FLOOR else "boto3"
        return floor(engines, "consumer", _CONSUMER, client=client)
    if name == BASELINE and root is not None:
        return engines.running(_CONSUMER, settings, root=root)
    return engines.running(_CONSUMER, settings)


def _commits(state: State) -> int:
    return int(state["calls"].get("TransactWriteItems", 0))
