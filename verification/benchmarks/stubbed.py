"""A relay on the stub of AWS: CPU and time of a drain, the stub's own counted apart."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from infra.local_system.environment import REGION
from local.child import wait_until_listening
from verification.benchmarks.contenders import DRAIN_PATIENCE, fill
from verification.load.outboxes import LoadedTable
from verification.testkit.engines import Engines
from verification.testkit.launcher import LaunchedProcess, running
from verification.testkit.waiting import eventually

NO_MONGODB = "mongodb://127.0.0.1:1"
"""What reads no change stream calls no database."""

LOOKS_EVERY = 0.05
"""Seconds between looks at the stub, which takes them for calls of 50 µs."""


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

    def _ask(self, method: str, path: str) -> Any:
        url = f"{self.process.url}{path}"
        return httpx.request(method, url, trust_env=False).raise_for_status().json()


@contextmanager
def running_stub(folder: Path, *, milliseconds: int = 0) -> Iterator[Stub]:
    """Serve it until the block ends; each of its answers comes that much late."""
    with running(
        folder,
        "verification.benchmarks.stub",
        str(milliseconds),
        {},
        port_name="STUB_PORT",
        is_measured=False,
    ) as process:
        wait_until_listening(process.port, timeout=60, what=process.name, child=process.child)
        yield Stub(process, Engines(process.url, NO_MONGODB, folder, REGION))


@dataclass(frozen=True)
class Drain:
    """One drain: microseconds of CPU an event, events/s, and the stub's microseconds a call."""

    cpu: float
    rate: float
    stub_cpu: float
    calls: float
    """To AWS, an event."""


def drain(
    stub: Stub,
    contender: AbstractContextManager[LaunchedProcess],
    events: int,
    *,
    deletes: bool = True,
) -> Drain:
    """Have a contender publish that many events, and delete their rows unless it never `deletes`.

    It is ready and paused while the rows are written. The time ends with the last answer.
    """
    stub.reset()
    with contender as process:
        with process.paused():
            fill(LoadedTable(stub.engines), events)
            cpu, stub_cpu = process.cpu_seconds, stub.process.cpu_seconds
            calls = _calls(stub.state())
            started = time.monotonic()
        state = eventually(
            _when(stub, lambda found: _is_done(found, events, deletes=deletes)),
            timeout=DRAIN_PATIENCE,
            what=f"{events} events on the stub's bus",
            every=LOOKS_EVERY,
        )
        cpu, stub_cpu = process.cpu_seconds - cpu, stub.process.cpu_seconds - stub_cpu
    ended = state["deletedAt" if deletes else "publishedAt"]
    calls = _calls(state) - calls
    return Drain(
        cpu=1e6 * cpu / events,
        rate=events / (ended - started),
        stub_cpu=1e6 * stub_cpu / calls,
        calls=calls / events,
    )


def _when(
    stub: Stub, condition: Callable[[Mapping[str, Any]], bool]
) -> Callable[[], dict[str, Any] | None]:
    """Give the stub's state once the condition holds of it."""

    def look() -> dict[str, Any] | None:
        state = stub.state()
        return state if condition(state) else None

    return look


def _is_done(state: Mapping[str, Any], events: int, *, deletes: bool) -> bool:
    is_deleted = not (deletes and state["rows"])
    return bool(state["published"] == events and is_deleted)


def _calls(state: Mapping[str, Any]) -> int:
    return int(sum(state["calls"].values()))
