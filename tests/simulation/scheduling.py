"""Tasks that take turns on one thread, and the clock that moves when all of them wait.

A task is a greenlet: code that knows nothing of it runs until it waits, and goes on when its time
has come. Whose turn it is follows from times alone, and from who came first where they are equal.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from heapq import heappop, heappush
from itertools import count
from threading import Condition, Semaphore
from typing import Any, TypeVar

from greenlet import GreenletExit, getcurrent, greenlet

from runtime.process.shutdown import Stop

T = TypeVar("T")


PAUSE = 0.5
"""Seconds: when nothing is due for longer, the clock jumps."""


class Killed(GreenletExit):
    """Ends a task where it stands; no `except Exception` of its code can hold it."""


class Scheduler:
    """Runs what is due, in order of time. `now` is in seconds from the history's beginning."""

    def __init__(self) -> None:
        self.now = 0.0
        self.turns = self._last_turn = 0
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self.order = count()
        self._main = getcurrent()
        self._urgent: list[Callable[[], object]] = []
        self._is_killing = False

    def at(self, moment: float, what: Callable[[], object]) -> None:
        """Do something at a time; what it must not do is wait."""
        heappush(self._due, (moment, next(self.order), what))

    def after(self, seconds: float, what: Callable[[], object]) -> None:
        heappush(self._due, (self.now + seconds, next(self.order), what))

    def sleep(self, seconds: float) -> None:
        """Let the others go on for so long."""
        if self._is_killing:
            raise Killed
        moment, due = self.now + seconds, self._due
        if seconds < PAUSE and self.turns < self._last_turn and (not due or moment < due[0][0]):
            # Nobody's turn comes before it is this task's again.
            self.turns += 1
            self.now = moment
            return
        heappush(due, (moment, next(self.order), getcurrent().switch))
        self._main.switch()

    def park(self) -> None:
        """Wait until somebody switches back."""
        if self._is_killing:
            raise Killed
        self._main.switch()

    def task(self, work: Callable[[], object]) -> greenlet:
        """Start a task. Whoever did, it is the clock that goes on after it."""
        task = greenlet(work, self._main)
        self.after(0, task.switch)
        return task

    def kill(self, tasks: Iterable[greenlet]) -> None:
        """End tasks where they stand: their `finally` blocks run, and can wait for nothing.

        Not from within a task: a task that ends does not come back to whoever ended it.
        """
        assert getcurrent() is self._main
        self._is_killing = True
        for task in tasks:
            task.throw(Killed)
        self._is_killing = False

    def interrupt(self, what: Callable[[], object]) -> None:
        """Leave the current task, and do something before anything else happens."""
        self._urgent.append(what)
        self._main.switch()

    def end(self) -> None:
        """Forget what is still due."""
        self._due.clear()

    def run(self, *, until: Callable[[], bool], most_turns: int) -> bool:
        """Take turns; says whether it came to `until`, which is asked before the clock jumps."""
        due = self._due
        self._last_turn = self.turns + most_turns
        while due:
            if due[0][0] > self.now + PAUSE and until():
                return True
            if self.turns >= self._last_turn:
                return False
            self.turns += 1
            moment, _, what = heappop(due)
            self.now = max(self.now, moment)
            what()
            while self._urgent:
                self._urgent.pop()()
        return until()


class Bell:
    """Where tasks wait until it is rung, or until a time."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._waiting: dict[int, greenlet] = {}

    def wait(self, until: float | None = None) -> None:
        number = next(self._scheduler.order)
        self._waiting[number] = getcurrent()
        if until is not None:
            self._scheduler.at(until, lambda: self._give_up(number))
        self._scheduler.park()

    def ring(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, {}
            for waiter in waiting.values():
                self._scheduler.after(0, waiter.switch)

    def ring_once(self) -> None:
        """Wake who has waited longest."""
        if self._waiting:
            longest = self._waiting.pop(next(iter(self._waiting)))
            self._scheduler.after(0, longest.switch)

    def _give_up(self, number: int) -> None:
        waiter = self._waiting.pop(number, None)
        if waiter is not None:
            waiter.switch()


class Signal(Condition):
    """A threading.Condition for tasks: one runs at a time, so there is nothing to lock."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler, self._bell = scheduler, Bell(scheduler)

    def __enter__(self) -> bool:
        return True

    def __exit__(self, *_: object) -> None: ...

    def wait(self, timeout: float | None = None) -> bool:
        self._bell.wait(None if timeout is None else self._scheduler.now + timeout)
        return True

    def wait_for(self, predicate: Callable[[], T], timeout: float | None = None) -> T:
        while not (found := predicate()):
            self._bell.wait()
        return found

    def notify(self, n: int = 1) -> None:
        self._bell.ring_once()

    def notify_all(self) -> None:
        self._bell.ring()


class Permits(Semaphore):
    """A threading.Semaphore for tasks: who acquires never waits, who waits acquires nothing."""

    def __init__(self, scheduler: Scheduler, count: int) -> None:
        self._count, self._bell = count, Bell(scheduler)

    def wait(self) -> int:
        while not self._count:
            self._bell.wait()
        return self._count

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        is_free = self._count > 0
        self._count -= is_free
        return is_free

    def release(self, n: int = 1) -> None:
        self._count += n
        self._bell.ring()


class TaskStop(Stop):
    """A Stop whose waits are a task's."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler, self._bell, self._requested = scheduler, Bell(scheduler), False

    def request(self) -> None:
        self._requested = True
        self._bell.ring()

    @property
    def requested(self) -> bool:
        return self._requested

    def wait(self, seconds: float | None = None) -> bool:
        end = None if seconds is None else self._scheduler.now + seconds
        while not self._requested and (end is None or self._scheduler.now < end):
            self._bell.wait(end)
        return self._requested


class TaskPool(Executor):
    """An Executor whose calls are tasks, side by side; `spawn` starts one."""

    def __init__(
        self, scheduler: Scheduler, spawn: Callable[[Callable[[], object]], object]
    ) -> None:
        self._scheduler, self._spawn = scheduler, spawn

    def map(self, fn: Callable[..., T], *iterables: Iterable[Any], **_: Any) -> Iterator[T]:
        calls = list(zip(*iterables, strict=True))
        done, bell = dict[int, T](), Bell(self._scheduler)

        def run(index: int) -> None:
            done[index] = fn(*calls[index])
            bell.ring()

        for index in range(len(calls)):
            self._spawn(lambda index=index: run(index))  # type: ignore[misc]
        while len(done) < len(calls):
            bell.wait()
        return (done[index] for index in range(len(calls)))
