"""Waiting for a condition, with a bound, in place of sleeping."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(
    condition: Callable[[], T | None], *, timeout: float = 60, what: str, every: float = 0.05
) -> T:
    """Poll `condition` every `every` seconds until it returns something true, and return that.

    Raises AssertionError after `timeout` seconds, saying what was awaited and what came last. An
    exception that `condition` raises passes through.
    """
    deadline = time.monotonic() + timeout
    while True:
        last = condition()
        if last:
            return last
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout:g} s (last seen: {last!r})")
        time.sleep(every)
