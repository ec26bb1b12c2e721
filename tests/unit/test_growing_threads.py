"""Threads as calls need them: one always waits, and those that no call needs end."""

import threading
from queue import SimpleQueue
from time import monotonic

import pytest

from relay.threads import SPARE_THREADS, GrowingThreads
from verification.testkit.waiting import eventually


class Worked:
    """Threads that work until they are let go on."""

    def __init__(self, most: int) -> None:
        self.threads = GrowingThreads("worker", most)
        self.work: SimpleQueue[threading.Event | None] = SimpleQueue()
        self.threads.start(self._work_next)

    def _work_next(self) -> bool:
        found = self.work.get()
        if found is None:
            self.work.put(None)
            return False
        with self.threads.working():
            found.wait(60)
        return True

    def begin(self, count: int) -> list[threading.Event]:
        begun = [threading.Event() for _ in range(count)]
        for each in begun:
            self.work.put(each)
        eventually(self.work.empty, what="work that is taken")
        return begun


def test_there_is_a_thread_for_each_call_and_one_that_waits() -> None:
    """None is started before a call needs it."""
    worked = Worked(10)
    assert worked.threads.count == 1
    begun = worked.begin(4)
    eventually(lambda: worked.threads.count == 5, what="five threads")
    for each in begun:
        each.set()
    worked.work.put(None)
    worked.threads.join_until(monotonic() + 60)


def test_there_are_never_more_than_the_most() -> None:
    """Then none waits: what comes is taken when a call has ended."""
    worked = Worked(3)
    begun = worked.begin(3)
    late = threading.Event()
    worked.work.put(late)
    assert worked.threads.count == 3
    begun[0].set()
    eventually(worked.work.empty, what="the work that had to wait")
    for each in (*begun, late):
        each.set()
    worked.work.put(None)
    worked.threads.join_until(monotonic() + 60)


def test_threads_that_no_call_needs_end() -> None:
    """But for a few: the next calls are near."""
    worked = Worked(50)
    for each in worked.begin(40):
        each.set()
    eventually(lambda: worked.threads.count <= SPARE_THREADS + 1, what="fewer threads")
    assert worked.threads.count >= 1
    for each in worked.begin(1):
        each.set()
    worked.work.put(None)
    worked.threads.join_until(monotonic() + 60)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_no_longer_counts() -> None:
    """As long as others live, one starts in its place when it is missed."""
    threads = GrowingThreads("worker", 3)

    def fail() -> bool:
        raise RuntimeError("a bug")

    threads.start(fail)
    eventually(lambda: threads.count == 0, what="no thread")


def test_where_none_were_started_working_counts() -> None:
    """A test, or a simulation, has its own."""
    threads = GrowingThreads("worker", 3)
    with threads.working(), threads.working():
        assert threads.count == 0
