"""Batch calls of which a part fails behind HTTP 200: the rest of it really happens.

PutEvents, SendMessageBatch, DeleteMessageBatch, ChangeMessageVisibilityBatch and BatchWriteItem may
do so on AWS, and MiniStack never does.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]

EntryFailure = tuple[str, str]
"""The error code and message that one entry fails with."""

Choose = Callable[[Body], EntryFailure | None]
"""How an entry fails; None where it passes."""


@dataclass(frozen=True)
class PartialFailure:
    """What of a batch is still asked for, and how its answer becomes that to the whole.

    `request` is None where everything fails: then `answer` takes an empty one.
    """

    request: Body | None
    answer: Callable[[Body], Body]


def fail_partially(action: str, body: Body, choose: Choose) -> PartialFailure | None:
    """Let the entries fail that are chosen; None if none is, or if it is no batch."""
    if action == "BatchWriteItem":
        return _batch_write(body, choose)
    if action not in _MERGES:
        return None
    entries: list[Body] = body["Entries"]
    failures = [choose(entry) for entry in entries]
    if not any(failures):
        return None
    passing = [entry for entry, failure in zip(entries, failures, strict=True) if not failure]
    return PartialFailure(
        {**body, "Entries": passing} if passing else None,
        lambda accepted: _MERGES[action](entries, failures, accepted),
    )


def _put_events(_: Sequence[Body], failures: Sequence[EntryFailure | None], accepted: Body) -> Body:
    """Put the answers into the order of the request."""
    rest = iter(accepted.get("Entries", []))
    answers = [
        {"ErrorCode": failure[0], "ErrorMessage": failure[1]} if failure else next(rest)
        for failure in failures
    ]
    failed = len(failures) - failures.count(None) + accepted.get("FailedEntryCount", 0)
    return {"FailedEntryCount": failed, "Entries": answers}


def _sqs_batch(
    entries: Sequence[Body], failures: Sequence[EntryFailure | None], accepted: Body
) -> Body:
    errors = [
        {"Id": entry["Id"], "SenderFault": False, "Code": failure[0], "Message": failure[1]}
        for entry, failure in zip(entries, failures, strict=True)
        if failure
    ]
    failed = [*accepted.get("Failed", []), *errors]
    return {"Successful": accepted.get("Successful", []), "Failed": failed}


_MERGES = {
    "PutEvents": _put_events,
    "SendMessageBatch": _sqs_batch,
    "DeleteMessageBatch": _sqs_batch,
    "ChangeMessageVisibilityBatch": _sqs_batch,
}
"""How the answer to the rest becomes the answer to the whole."""


def _batch_write(body: Body, choose: Choose) -> PartialFailure | None:
    left, unprocessed = defaultdict[str, list[Body]](list), defaultdict[str, list[Body]](list)
    for table, requests in body["RequestItems"].items():
        for each in requests:
            (unprocessed if choose(each) else left)[table].append(each)
    if not unprocessed:
        return None

    def answer(accepted: Body) -> Body:
        for table, requests in accepted.get("UnprocessedItems", {}).items():
            unprocessed[table] += requests
        return {**accepted, "UnprocessedItems": unprocessed}

    return PartialFailure({**body, "RequestItems": left} if left else None, answer)
