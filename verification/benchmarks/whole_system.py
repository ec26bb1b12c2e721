"""All eleven processes of the system on engines of their own, with the logs of production."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from infra.topology import WORKLOADS
from local.child import signal_child
from verification.testkit.engines import Engines
from verification.testkit.launcher import LaunchedProcess


@dataclass
class WholeSystem:
    """Processes by name, and the seconds that each took from its start until it was ready."""

    processes: dict[str, LaunchedProcess] = field(default_factory=dict)
    start_seconds: dict[str, float] = field(default_factory=dict)


@contextmanager
def whole_system(engines: Engines) -> Iterator[WholeSystem]:
    """Start one process after the other; stop all when the block ends."""
    system = WholeSystem()
    with ExitStack() as stack:
        for name in (workload.name for workload in WORKLOADS):
            started = time.monotonic()
            process = engines.running(name, {"LOG_LEVEL": "INFO"})
            system.processes[name] = stack.enter_context(process)
            system.start_seconds[name] = time.monotonic() - started
        try:
            yield system
        finally:  # all at once: each waits for its last long poll
            for each in system.processes.values():
                signal_child(each.child, signal.SIGTERM)
