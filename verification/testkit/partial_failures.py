"""Batch calls of which a part fails behind HTTP 200: the rest of it really happens.

PutEvents, SendMessageBatch, DeleteMessageBatch, ChangeMessageVisibilityBatch and BatchWriteItem may
do so on AWS, and MiniStack never does.
"""

from collections.abc import Callable, Mapping, Sequence
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
    cut = _CUTS.get(action)
    return cut(body, choose) if cut else None


def _put_events(body: Body, choose: Choose) -> PartialFailure | None:
    entries: list[Body] = body["Entries"]
    failures = [choose(entry) for entry in entries]
    if not any(failures):
        return None

    def answer(accepted: Body) -> Body:
        """Put the answers into the order of the request."""
        rest = iter(accepted.get("Entries", []))
        answers = [
            {"ErrorCode": failure[0], "ErrorMessage": failure[1]} if failure else next(rest)
            for failure in failures
        ]
        failed = len(entries) - failures.count(None) + accepted.get("FailedEntryCount", 0)
        return {"FailedEntryCount": failed, "Entries": answers}

    return PartialFailure(_with(body, "Entries", _passing(entries, failures)), answer)


def _sqs_batch(body: Body, choose: Choose) -> PartialFailure | None:
    entries: list[Body] = body["Entries"]
    failures = [choose(entry) for entry in entries]
    if not any(failures):
        return None

    def answer(accepted: Body) -> Body:
        errors = [
            {
                "Id": entry["Id"],
                "SenderFault": False,
                "Code": failure[0],
                "Message": failure[1],
            }
            for entry, failure in zip(entries, failures, strict=True)
            if failure
        ]
        return {
            "Successful": accepted.get("Successful", []),
            "Failed": [*accepted.get("Failed", []), *errors],
        }

    return PartialFailure(_with(body, "Entries", _passing(entries, failures)), answer)


def _batch_write(body: Body, choose: Choose) -> PartialFailure | None:
    tables: Mapping[str, list[Body]] = body["RequestItems"]
    failures = {table: [choose(each) for each in requests] for table, requests in tables.items()}
    if not any(map(any, failures.values())):
        return None
    left = {table: _passing(requests, failures[table]) for table, requests in tables.items()}
    left = {table: requests for table, requests in left.items() if requests}
    unprocessed = {
        table: [each for each, failure in zip(requests, failures[table], strict=True) if failure]
        for table, requests in tables.items()
        if any(failures[table])
    }

    def answer(accepted: Body) -> Body:
        more = accepted.get("UnprocessedItems", {})
        names = {*unprocessed, *more}
        both = {name: [*unprocessed.get(name, []), *more.get(name, [])] for name in names}
        return {**accepted, "UnprocessedItems": both}

    return PartialFailure({**body, "RequestItems": left} if left else None, answer)


def _passing(entries: Sequence[Body], failures: Sequence[EntryFailure | None]) -> list[Body]:
    return [entry for entry, failure in zip(entries, failures, strict=True) if not failure]


def _with(body: Body, name: str, entries: Sequence[Body]) -> Body | None:
    return {**body, name: entries} if entries else None


_CUTS: Mapping[str, Callable[[Body, Choose], PartialFailure | None]] = {
    "PutEvents": _put_events,
    "SendMessageBatch": _sqs_batch,
    "DeleteMessageBatch": _sqs_batch,
    "ChangeMessageVisibilityBatch": _sqs_batch,
    "BatchWriteItem": _batch_write,
}
