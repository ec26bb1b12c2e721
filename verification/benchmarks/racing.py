"""One contender's drain: it stands still while there is work made for it, then is let go."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack

from verification.testkit.launcher import LaunchedProcess

Entry = Sequence[AbstractContextManager[LaunchedProcess]]
"""The processes of a contender, in the order in which work passes them."""


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
