"""Deleting in batches: partial failures are tried again, and no error stops the thread."""

import threading
from collections.abc import Callable
from itertools import chain
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from runtime.sqs.deletions import DELETE_TRIES, MOST_WAITING, Deletions
from tests.threads import beside


class FakeSqs:
    """Answers DeleteMessageBatch as `answer` says, given the number of the call and its handles."""

    def __init__(self, answer: Callable[[int, list[str]], list[dict[str, Any]]]) -> None:
        self._answer = answer
        self.calls: list[list[str]] = []

    def delete_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803
        assert QueueUrl == "url"
        self.calls.append([entry["ReceiptHandle"] for entry in Entries])
        return {"Failed": self._answer(len(self.calls), self.calls[-1])}


def delete(sqs: FakeSqs, *handles: str) -> None:
    """Delete handles, and wait until that is done with."""
    deletions = Deletions(cast("Any", sqs), "url")
    for handle in handles:
        deletions.add(handle)
    with deletions:
        pass


def failure(index: int, *, ours: bool = False) -> dict[str, Any]:
    return {"Id": str(index), "SenderFault": ours, "Code": "InternalError"}


def test_handles_go_in_batches_of_ten() -> None:
    """Twenty-three handles are three calls, in order."""
    sqs = FakeSqs(lambda call, handles: [])
    handles = [str(number) for number in range(23)]
    delete(sqs, *handles)
    assert [len(call) for call in sqs.calls] == [10, 10, 3]
    assert list(chain.from_iterable(sqs.calls)) == handles


def test_what_failed_behind_200_is_tried_again_alone() -> None:
    """Two of four fail: those two are in the second call."""
    sqs = FakeSqs(lambda call, handles: [failure(1), failure(3)] if call == 1 else [])
    delete(sqs, *"abcd")
    assert sqs.calls == [list("abcd"), ["b", "d"]]


def test_what_the_queue_blames_on_us_is_not_tried_again() -> None:
    """A receipt handle that has expired stays expired: its message comes again."""
    sqs = FakeSqs(lambda call, handles: [failure(0, ours=True)])
    delete(sqs, "a", "b")
    assert len(sqs.calls) == 1


def test_an_outage_is_tried_a_few_times_and_then_left() -> None:
    """The messages come again and are handled again; the consumer goes on."""

    def away(call: int, handles: list[str]) -> list[dict[str, Any]]:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    sqs = FakeSqs(away)
    delete(sqs, "a")
    assert len(sqs.calls) == DELETE_TRIES


@pytest.mark.parametrize(
    "error", [ClientError({"Error": {"Code": "Odd"}}, "DeleteMessageBatch"), KeyError("Failed")]
)
def test_no_error_ends_the_thread(error: Exception) -> None:
    """Whatever the first batch met, the second is deleted."""

    def once(call: int, handles: list[str]) -> list[dict[str, Any]]:
        if call == 1:
            raise error
        return []

    sqs = FakeSqs(once)
    delete(sqs, *map(str, range(11)))
    assert sqs.calls[-1] == ["10"]


def test_the_end_waits_for_what_was_added() -> None:
    """Leaving the block means that every handle was done with, a slow call included."""
    release = threading.Event()
    done: list[str] = []

    def slow(call: int, handles: list[str]) -> list[dict[str, Any]]:
        release.wait(60)
        done.extend(handles)
        return []

    with Deletions(cast("Any", FakeSqs(slow)), "url") as deletions:
        deletions.add("a")
        release.set()
    assert done == ["a"]


def test_handles_that_come_one_by_one_go_together() -> None:
    """What comes soon after a call has gone waits for the next, and the next is fuller."""
    sqs = FakeSqs(lambda call, handles: [])
    gathering = threading.Event()
    gathered = threading.Event()

    def wait(_: float) -> None:
        gathering.set()
        gathered.wait(60)

    with Deletions(cast("Any", sqs), "url", wait=wait) as deletions:
        deletions.add("a")
        assert gathering.wait(60)
        for handle in "bcd":
            deletions.add(handle)
        gathered.set()
    assert sqs.calls == [["a"], ["b", "c", "d"]]


def test_who_handles_waits_while_many_are_not_deleted_yet() -> None:
    """An SQS that deletes nothing must not let the memory grow."""
    deletions = Deletions(cast("Any", FakeSqs(lambda call, handles: [])), "url")
    for number in range(MOST_WAITING):
        deletions.add(str(number))
    with beside(lambda: deletions.add("last")) as adding:
        adding.join(0.05)
        assert adding.is_alive()
        with deletions:
            adding.join(60)
