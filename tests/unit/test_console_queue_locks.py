"""One request at a time in a dead-letter queue."""

from threading import Thread

import pytest

from console.dead_letters.queue_locks import Busy, QueueLocks


def locks_of(*queues: str) -> QueueLocks:
    """Locks that are waited for a moment only."""
    return QueueLocks(queues, list_seconds=0.05, action_seconds=0.05)


def test_a_queue_is_for_one_request_at_a_time() -> None:
    """Another is refused, and a request for a different queue is not."""
    locks = locks_of("a", "b")
    with (
        locks.exclusive("a"),
        locks.exclusive("b"),
        pytest.raises(Busy, match="another console request is using a; retry"),
        locks.exclusive("a"),
    ):
        pytest.fail("two at once")
    with locks.exclusive("a"):
        pass


def test_a_list_leaves_out_a_queue_that_is_in_use() -> None:
    """It has the others, and releases all of them."""
    locks = locks_of("a", "b", "c")
    with locks.exclusive("b"), locks.idle() as idle:
        assert idle == {"a", "c"}
    with locks.idle() as idle:
        assert idle == {"a", "b", "c"}


def test_a_request_that_waits_gets_its_turn() -> None:
    """As soon as the other is done."""
    locks, had = QueueLocks(["a"]), list[str]()

    def wait() -> None:
        with locks.exclusive("a"):
            had.append("second")

    with locks.exclusive("a"):
        waiting = Thread(target=wait)
        waiting.start()
        had.append("first")
    waiting.join()
    assert had == ["first", "second"]
