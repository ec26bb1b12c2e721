"""Waiting for a condition, with a bound, in place of sleeping."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class NotInTime(AssertionError):
    """A condition that did not become true."""


def eventually(
    condition: Callable[[], T | None], *, timeout: float = 60, what: str, every: float = 0.05
) -> T:
    """Poll `condition` every `every` seconds until it returns something true, and return that.

    Raises NotInTime after `timeout` seconds, saying what was awaited and what came last. An
    exception that `condition` raises passes through.
    """
    last = wait_until(condition, within=timeout, every=every)
    if not last:
        raise NotInTime(f"{what}: not within {timeout:g} s (last seen: {last!r})")
    return last


def wait_until(
    condition: Callable[[], T | None], *, within: float, every: float = 0.05
) -> T | None:
    """Poll as `eventually` does, and return what came last, true or not, after `within` seconds."""
    deadline = time.monotonic() + within
    while not (last := condition()) and time.monotonic() <= deadline:
        time.sleep(every)
    return last
