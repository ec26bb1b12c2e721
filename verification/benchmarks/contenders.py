"""Processes that race: ours, and floors. Each stands ready, then is let go."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from infra.local_system.settings import ROOT
from local.child import running_child
from verification.load.engines import Engines, workload_of
from verification.load.processes import PATIENCE, NotReady, Observed, observed, wait_until

LONG_POLL = 1.0
"""Seconds that a floor waits for messages, the least there is. MiniStack gives messages to the long
poll of a process that has been killed, where nobody sees them for half a minute."""

SHORT_POLL = {"QUEUE_WAIT_SECONDS": f"{LONG_POLL:.0f}"}
"""The same for a process of ours, which at its stop waits for its last poll."""


@contextmanager
def ours(
    engines: Engines, workload: str, settings: Mapping[str, str] | None = None
) -> Iterator[Observed]:
    """A process of ours, at work when the block begins."""
    env = {**engines.environment(workload), **(settings or {})}
    found = workload_of(workload)
    port = "HTTP_PORT" if found.path else "HEALTH_PORT"
    with observed(
        engines.folder, workload, " ".join(found.command), env, port_name=port
    ) as process:
        yield process


@contextmanager
def floor(
    engines: Engines,
    module: str,
    workload: str,
    settings: Mapping[str, str] | None = None,
    *,
    polls: bool = False,
) -> Iterator[Observed]:
    """A floor with the settings of the process that it stands beside; it has said that it is ready.

    It serves no health, so nothing may be asked of it. Where it `polls` a queue, the block ends
    when its last poll is over.
    """
    env = {**engines.environment(workload), **(settings or {})}
    log = engines.folder / f"{module}.log"
    try:
        with running_child(
            module, [sys.executable, "-m", module], env=env, cwd=ROOT, log=log
        ) as child:
            if not wait_until(lambda: "ready" in log.read_text(), within=PATIENCE):
                raise NotReady(f"{module} was not ready within {PATIENCE:g} s")
            yield Observed(module, child, 0, log)
    finally:
        if polls:
            time.sleep(LONG_POLL)
