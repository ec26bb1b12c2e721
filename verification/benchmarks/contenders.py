"""What competes in a drain: a floor as a process, and the rate of each, which is paused first."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

from local.supervisor import START_PATIENCE
from verification.testkit.engines import Engines
from verification.testkit.launcher import LaunchedProcess, ProcessNotReady, running
from verification.testkit.waiting import wait_until

LONG_POLL = 1.0
"""Seconds that a floor waits for messages, the least there is. MiniStack gives messages to the long
poll of a process that has been killed, where they stay unseen for half a minute."""

SHORT_POLL = {"QUEUE_WAIT_SECONDS": f"{LONG_POLL:.0f}"}
"""The same for a process of the system, which at its stop waits for its last poll."""

Entry = Sequence[AbstractContextManager[LaunchedProcess]]
"""The processes of a contender, in the order in which work passes them."""


@contextmanager
def floor(
    engines: Engines,
    name: str,
    workload: str,
    settings: Mapping[str, str] | None = None,
    *,
    polls: bool = False,
) -> Iterator[LaunchedProcess]:
    """One of `floors`, with the settings of the process that it stands beside; it is ready.

    All but the smallest API serve no health, so nothing may be asked of them. Where it `polls` a
    queue, the block ends when its last poll is over.
    """
    env = {**engines.environment(workload), **(settings or {})}
    try:
        with running(
            engines.folder,
            f"verification.benchmarks.floors.{name}",
            "",
            env,
            port_name="HEALTH_PORT",
            is_measured=False,
        ) as process:
            if not wait_until(lambda: "ready" in process.output.read_text(), within=START_PATIENCE):
                raise ProcessNotReady(f"{name} was not ready within {START_PATIENCE:g} s")
            yield process
    finally:
        if polls:
            time.sleep(LONG_POLL)


def rate(
    entry: Entry, amount: int, *, prepare: Callable[[], None], wait: Callable[[], None]
) -> float:
    """Pieces of work a second: `prepare` makes `amount` of them, `wait` returns when all are done.

    Starting the processes is not in the time.
    """
    with ExitStack() as stack:
        processes = [stack.enter_context(each) for each in entry]
        with ExitStack() as still:
            for process in processes:
                still.enter_context(process.paused())
            prepare()
            started = time.monotonic()
        wait()
        return amount / (time.monotonic() - started)
