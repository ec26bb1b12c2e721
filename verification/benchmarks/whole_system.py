"""All processes of the system on engines of their own, with the logs of production.

There may be several systems at once, to be played in turns: this code with the settings that the
goals hold for, the code of 071a447, and this code with its defaults. What is not played is idle.
"""

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from infra.local_system.settings import ROOT
from infra.topology import WORKLOADS
from local.child import signal_child
from verification.benchmarks.baseline import BASELINE, baseline
from verification.benchmarks.sizes import Size
from verification.testkit.engines import Engines, requiring_tokens, temporary_engines
from verification.testkit.launcher import LaunchedProcess

THIS_SYSTEM, DEFAULTS = "system", "system with the defaults"

FIRST_VERSION = {"EVENT_VERSION": "1"}
"""Of the events: what the goals hold for. Nothing has set an inventory either."""

RAZORS_ON_HAND = 100_000
"""On hand in a system with an inventory."""


@dataclass
class WholeSystem:
    """Processes by name, and the seconds that each took from its start until it was ready."""

    engines: Engines
    processes: dict[str, LaunchedProcess] = field(default_factory=dict)
    start_seconds: dict[str, float] = field(default_factory=dict)

    @property
    def auth(self) -> httpx.Auth | None:
        """What its customers show, if its APIs require it."""
        return self.engines.tokens

    def cpu_seconds(self) -> dict[str, float]:
        """CPU that each process has used so far."""
        return {name: process.cpu_seconds for name, process in self.processes.items()}


@contextmanager
def whole_system(
    engines: Engines, settings: Mapping[str, str] = FIRST_VERSION, *, root: Path = ROOT
) -> Iterator[WholeSystem]:
    """Start one process after the other; stop all when the block ends."""
    system = WholeSystem(engines)
    with ExitStack() as stack:
        for name in (workload.name for workload in WORKLOADS):
            started = time.monotonic()
            process = engines.running(name, {"LOG_LEVEL": "INFO", **settings}, root=root)
            system.processes[name] = stack.enter_context(process)
            system.start_seconds[name] = time.monotonic() - started
        try:
            yield system
        finally:  # all at once: each waits for its last long poll
            for each in system.processes.values():
                signal_child(each.child, signal.SIGTERM)


@contextmanager
def competing_systems(engines: Engines, size: Size) -> Iterator[Mapping[str, WholeSystem]]:
    """Start this system on `engines`; in a full run the two others beside it, on their own."""
    with ExitStack() as stack:
        systems = {THIS_SYSTEM: stack.enter_context(whole_system(engines))}
        root = baseline()
        if not size.is_quick:
            if root is not None:
                others = stack.enter_context(temporary_engines("bench-before-"))
                systems[BASELINE] = stack.enter_context(whole_system(others, root=root))
            systems[DEFAULTS] = stack.enter_context(_with_defaults())
        yield systems


@contextmanager
def _with_defaults() -> Iterator[WholeSystem]:
    """As it is deployed: APIs that require tokens, version 2 of the events, and an inventory."""
    with (
        temporary_engines("bench-defaults-") as engines,
        requiring_tokens(engines) as with_tokens,
        whole_system(with_tokens, {}) as system,
    ):
        httpx.put(
            f"{system.processes['stock-api'].url}/inventory/razor-123",
            json={"onHand": RAZORS_ON_HAND},
            auth=system.auth,
            trust_env=False,
        ).raise_for_status()
        yield system
