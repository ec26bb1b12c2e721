"""Processes on stubs of AWS: CPU and time of a piece of work, the stub's own counted apart.

Each contender has a stub of its own and lives through all rounds; it is frozen (SIGSTOP) but for
its turn.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from infra.local_system.environment import REGION
from infra.local_system.ports import LOOPBACK
from local.child import wait_until_listening
from verification.benchmarks.baseline import BASELINE
from verification.benchmarks.contenders import DRAIN_PATIENCE
from verification.benchmarks.intervals import ratio
from verification.benchmarks.lines import BenchmarkLine, Goal, Series
from verification.benchmarks.rounds import measured
from verification.benchmarks.sizes import Size
from verification.testkit.engines import Engines
from verification.testkit.launcher import LaunchedProcess, running
from verification.testkit.waiting import eventually

NO_MONGODB = f"mongodb://{LOOPBACK}:1"
"""What reads no change stream calls no database."""

LOOKS_EVERY = 0.02
"""Seconds between looks at the stub, each of which is a call to it."""

CPU, RATE, A_CPU_SECOND = "CPU", "rate", "a CPU second"
AWS_CALLS, STUB_CPU = "calls", "CPU of the stub"
"""Measures of a round: µs for a piece of work, pieces a second and a second of CPU, calls to AWS
for a piece, and the stub's µs for a call."""

Measures = Mapping[str, Mapping[str, Series]]
"""By measure, and then by contender."""

WARM_UP = 200
"""Pieces of work before the first round: then connections are open and code is loaded."""

State = Mapping[str, Any]


@dataclass(frozen=True)
class Stub:
    """The process; `engines` are the settings of what calls it."""

    process: LaunchedProcess
    engines: Engines

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self._ask("GET", "/state")
        return found

    def reset(self) -> None:
        self._ask("POST", "/reset")

    def answer_late(self, milliseconds: int) -> None:
        """Have each answer to a call come that much later, from now on."""
        self._ask("POST", f"/delay/{milliseconds}")

    def _ask(self, method: str, path: str) -> Any:
        connection = HTTPConnection(LOOPBACK, self.process.port, timeout=30)
        try:
            connection.request(method, path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


@contextmanager
def running_stub(
    folder: Path, *, mongodb_uri: str = NO_MONGODB, database: str = "none"
) -> Iterator[Stub]:
    """Serve it until the block ends."""
    with running(
        folder,
        "verification.benchmarks.stub",
        "",
        {},
        port_name="STUB_PORT",
        is_measured=False,
    ) as process:
        wait_until_listening(process.port, timeout=60, what=process.name, child=process.child)
        yield Stub(process, Engines(process.url, mongodb_uri, folder, REGION, database))


Left = Callable[[State, State, int], bool]
"""Whether work remains: of a state, the one before the work, and the number of its pieces."""


@dataclass(frozen=True)
class Contender:
    """A frozen process and its stub. `load` makes pieces of work, `left` says if some remain.

    `ended` names the time of the last answer in a state; where a stub cannot know it, it is None.
    """

    process: LaunchedProcess
    stub: Stub
    load: Callable[[int], None]
    left: Left
    ended: str | None

    def play(self, pieces: int) -> dict[str, float]:
        """Have that many pieces of work done: measures by their names."""
        before = self.stub.state()
        self.load(pieces)
        started_with = self.stub.state()
        cpu, stub_cpu = self.process.cpu_seconds, self.stub.process.cpu_seconds
        started = time.monotonic()
        with self.process.resumed():
            state = self._when_done(before, pieces)
            ended = state[self.ended] if self.ended else time.monotonic()
            cpu = self.process.cpu_seconds - cpu
        stub_cpu = self.stub.process.cpu_seconds - stub_cpu
        calls = sum(state["calls"].values()) - sum(started_with["calls"].values())
        return {
            CPU: 1e6 * cpu / pieces,
            RATE: pieces / (ended - started),
            A_CPU_SECOND: pieces / cpu,
            AWS_CALLS: calls / pieces,
            STUB_CPU: 1e6 * stub_cpu / calls,
        }

    def _when_done(self, before: State, pieces: int) -> State:
        def look() -> State | None:
            state = self.stub.state()
            return None if self.left(state, before, pieces) else state

        return eventually(
            look,
            timeout=DRAIN_PATIENCE,
            what=f"{pieces} pieces of work by {self.process.name}",
            every=LOOKS_EVERY,
        )


@contextmanager
def contending(
    stub: Stub,
    process: AbstractContextManager[LaunchedProcess],
    load: Callable[[int], None],
    left: Left,
    ended: str | None,
) -> Iterator[Contender]:
    """Start a contender; when the block begins it is warm and frozen."""
    with process as started, started.paused():
        contender = Contender(started, stub, load, left, ended)
        contender.play(WARM_UP)
        yield contender


def raced(
    contenders: Mapping[str, Contender], size: Size, pieces: Mapping[str, int] | None = None
) -> Measures:
    """Play rounds of all until the CPU of a piece is known narrowly.

    `pieces` are by contender, where they are not those of the size.
    """
    amounts = pieces or {}
    return measured(
        {
            name: partial(each.play, amounts.get(name, size.stub_events))
            for name, each in contenders.items()
        },
        by=CPU,
        seconds=size.stub_seconds,
    )


Goals = Mapping[tuple[str, str | None], Goal]
"""By measure and peer; None: for the value itself."""


def lines_of(
    row: str, found: Measures, unit: str, goals: Goals, *, drain: str = "drain"
) -> Iterator[BenchmarkLine]:
    """A line for each measure of the first contender, and one beside each of the others.

    `unit` is what one piece of work is called, and `drain` all of it.
    """
    for measure, by_name in found.items():
        what, unit_of_it = _named(measure, unit, drain)
        ours, *peers = by_name.values()
        before = by_name.get(BASELINE)
        goal = goals.get((measure, None))
        yield BenchmarkLine(
            row,
            what,
            unit_of_it,
            ours,
            goal=goal,
            is_timed=True,
            baseline=before.median if before else None,
        )
        for peer in peers if measure in {CPU, RATE, A_CPU_SECOND} else ():
            goal = goals.get((measure, peer.name))
            if goal or measure != A_CPU_SECOND:
                then = ratio(before.values, peer.values) if before else None
                yield BenchmarkLine(row, what, unit_of_it, ours, peer, goal, baseline=then)


def _named(measure: str, unit: str, drain: str) -> tuple[str, str]:
    """What a line of a measure is called, and its unit."""
    names = {
        CPU: (f"{drain}: CPU", f"µs an {unit}"),
        RATE: (drain, f"{unit}s/s"),
        A_CPU_SECOND: (f"{drain}: {unit}s for each second of CPU", f"{unit}s"),
        AWS_CALLS: (f"{drain}: calls to AWS", f"an {unit}"),
        STUB_CPU: (f"{drain}: the stub's own CPU", "µs a call"),
    }
    return names[measure]


def is_unpublished(state: State, before: State, pieces: int) -> bool:
    """Whether not all of the events are on the bus."""
    return bool(state["published"] - before["published"] < pieces)


def is_undrained(state: State, before: State, pieces: int) -> bool:
    """Whether that, or a row is left of them."""
    return is_unpublished(state, before, pieces) or state["rows"] > 0


def depth(state: State, queue: str) -> int:
    """Messages that wait in a queue of the stub, or that are held."""
    return int(state["queues"].get(queue, 0))
