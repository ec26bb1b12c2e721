"""Committed rows → on the bus where AWS costs nothing: what the relay takes by itself."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial

from verification.benchmarks.baseline import BASELINE, baseline
from verification.benchmarks.contenders import fill, floor
from verification.benchmarks.lines import BenchmarkLine, Goal, Series
from verification.benchmarks.peers import (
    PIPES_CONCURRENCY,
    PIPES_READ,
    asyncio_python,
    pipes_rate,
)
from verification.benchmarks.sizes import Size
from verification.benchmarks.stubbed import (
    AWS_CALLS,
    CPU,
    RATE,
    Contender,
    Goals,
    Stub,
    contending,
    is_undrained,
    is_unpublished,
    lines_of,
    raced,
    running_stub,
)
from verification.load.outboxes import LoadedTable
from verification.testkit.engines import Engines
from verification.testkit.launcher import LaunchedProcess

ROW = "Relay: committed rows → on the bus"
WORKLOAD = "subscriptions-relay"
RELAY, NAIVE = "relay", "naive relay"
ASYNCIO = "asyncio relay on aiobotocore"
LEAN_FLOOR, RAW_FLOOR = "floor without botocore", "floor with boto3"

RELAY_GOALS: Goals = {
    (CPU, None): Goal("at most", 250, "relay on a stub: µs of CPU an event", "545 to 858"),
    (CPU, BASELINE): Goal("at most", 0.366, "the same, in CPU of 071a447", "1"),
    (RATE, None): Goal("at least", 3000, "relay on a stub: events/s", "1,146 to 1,463"),
    (RATE, BASELINE): Goal("at least", 2.32, "the same, in rates of 071a447", "1"),
    (AWS_CALLS, None): Goal("at most", 0.15, "calls for a drained event", "0.171"),
}
"""Beside 071a447: the goal over the geometric middle of what was found before. On another machine
the absolute figures say little."""

BESIDE_NAIVE = {
    0: Goal("at least", 2.0, "relay / naive relay: loopback", "1.0 to 1.6"),
    20: Goal("at least", 14, "relay / naive relay: 20 ms", "5.9 to 8.6"),
    100: Goal("at least", 45, "relay / naive relay: 100 ms", "25.7 to 28.9"),
}
"""By milliseconds that every call to AWS takes longer."""

LOGGED = {"LOG_LEVEL": "INFO"}
"""With the log of production: a line for each event."""

NAIVE_SECONDS = 3
"""How long the naive relay is watched where each of its calls takes longer."""


ON_LOOPBACK = "drain on loopback"


def added(milliseconds: int) -> str:
    """What a drain is called for which AWS is so far away."""
    return f"drain with {milliseconds} ms added to every call"


def run(engines: Engines, size: Size) -> Sequence[BenchmarkLine]:
    with ExitStack() as stack:
        contenders = {
            name: stack.enter_context(
                _contender(name, stack.enter_context(running_stub(engines.folder)))
            )
            for name in _names(size)
        }
        return [line for far in BESIDE_NAIVE for line in _lines(contenders, size, far)]


def _names(size: Size) -> list[str]:
    floors = [LEAN_FLOOR] if size.is_quick else [LEAN_FLOOR, RAW_FLOOR, ASYNCIO]
    return [RELAY, NAIVE, *([BASELINE] if baseline() else []), *floors]


def _lines(
    contenders: Mapping[str, Contender], size: Size, milliseconds: int
) -> Iterator[BenchmarkLine]:
    """Race them; far away, where waiting counts most, without the floors."""
    beside_naive: Goals = {(RATE, NAIVE): BESIDE_NAIVE[milliseconds]}
    if not milliseconds:
        found = raced(contenders, size)
        yield from lines_of(ROW, found, "event", {**RELAY_GOALS, **beside_naive}, drain=ON_LOOPBACK)
        return
    seconds = NAIVE_SECONDS / 3 if size.is_quick else NAIVE_SECONDS
    pieces = {NAIVE: 5 * round(seconds / (milliseconds / 1000 + 0.002))}
    names = (RELAY, NAIVE) if size.is_quick else (RELAY, NAIVE, BASELINE, ASYNCIO)
    far = {each: contenders[each] for each in names if each in contenders}
    for name, each in far.items():
        each.stub.answer_late(milliseconds)
        each.play(pieces.get(name, size.stub_events))  # until timeouts have adapted
    found = raced(far, size, pieces)
    yield from lines_of(ROW, found, "event", beside_naive, drain=added(milliseconds))
    yield from _pipes(milliseconds)


def _pipes(milliseconds: int) -> Iterator[BenchmarkLine]:
    """EventBridge Pipes by its published limits, with as many batches at a time as it can have."""
    for concurrency in (1, PIPES_CONCURRENCY):
        rate = Series("arithmetic", (pipes_rate(milliseconds, concurrency=concurrency),))
        what = f"EventBridge Pipes, one shard, {concurrency} at a time, {milliseconds} ms a call"
        note = f"by its limits as of {PIPES_READ}, not run: verification/benchmarks/peers.py"
        yield BenchmarkLine(ROW, what, "events/s", rate, note=note)


def _contender(name: str, stub: Stub) -> AbstractContextManager[Contender]:
    load = partial(fill, LoadedTable(stub.engines))
    if name == NAIVE:
        return contending(stub, _process(name, stub), load, is_unpublished, "publishedAt")
    return contending(stub, _process(name, stub), load, is_undrained, "deletedAt")


def _process(name: str, stub: Stub) -> AbstractContextManager[LaunchedProcess]:
    engines, root = stub.engines, baseline()
    if name == NAIVE:
        return floor(engines, "naive_relay", WORKLOAD, client="boto3")
    if name == ASYNCIO:
        return floor(engines, "asyncio_relay", WORKLOAD, python=asyncio_python())
    if name in {LEAN_FLOOR, RAW_FLOOR}:
        return floor(engines, "relay", WORKLOAD, client="lean" if name == LEAN_FLOOR else "boto3")
    if name == BASELINE and root is not None:
        return engines.running(WORKLOAD, LOGGED, root=root)
    return engines.running(WORKLOAD, LOGGED)
