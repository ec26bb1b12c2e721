"""What waits in a stage, and who waits for it."""

from collections import deque
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

import simpy

T = TypeVar("T")

Process = Generator[simpy.Event, Any, None]
"""A simpy process."""


class Stage:
    """Counts what is inside a stage: in service or waiting for it."""

    def __init__(self, name: str) -> None:
        self.name, self.inside = name, 0

    def enter(self) -> None:
        self.inside += 1

    def leave(self) -> None:
        self.inside -= 1


class Inbox(Generic[T]):
    """A queue in order of arrival; a taker that finds it empty waits, and one arrival wakes one."""

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self.items: deque[T] = deque()
        self._takers: deque[simpy.Event] = deque()

    def add(self, item: T) -> None:
        self.items.append(item)
        if self._takers:
            self._takers.popleft().succeed()

    def filled(self) -> Process:
        """Wait until there is something."""
        while not self.items:
            taker = self._env.event()
            self._takers.append(taker)
            yield taker

    def take(self, most: int) -> list[T]:
        items = self.items
        taken = [items.popleft() for _ in range(min(most, len(items)))]
        if items and self._takers:
            self._takers.popleft().succeed()
        return taken


def later(env: simpy.Environment, seconds: float, call: Callable[[], None]) -> None:
    """Call after a while, without a process of its own."""
    timeout = env.timeout(seconds)
    assert timeout.callbacks is not None  # noqa: S101 (for mypy: it has not happened yet)
    timeout.callbacks.append(lambda _: call())
