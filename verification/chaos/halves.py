"""Batch calls of which a part fails behind HTTP 200: the rest of it really happens.

PutEvents, SendMessageBatch, DeleteMessageBatch, ChangeMessageVisibilityBatch and BatchWriteItem may
do so on AWS, and MiniStack never does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True)
class Half:
    """What of a batch is still asked for, and how its answer becomes that to the whole.

    `request` is None where everything fails: then `answer` takes an empty one.
    """

    request: Body | None
    answer: Callable[[Body], Body]


def halve(action: str, body: Body, fails: Callable[[], bool]) -> Half | None:
    """Let the entries fail of which `fails` says so; None if none does, or if it is no batch."""
    cut = _CUTS.get(action)
    return cut(body, fails) if cut else None


def _put_events(body: Body, fails: Callable[[], bool]) -> Half | None:
    entries: list[Body] = body["Entries"]
    failed = [fails() for _ in entries]
    if not any(failed):
        return None

    def answer(accepted: Body) -> Body:
        """Put the answers into the order of the request."""
        rest = iter(accepted.get("Entries", []))
        error = {"ErrorCode": "InternalFailure", "ErrorMessage": "chaos: this entry failed"}
        answers = [error if lost else next(rest) for lost in failed]
        already = accepted.get("FailedEntryCount", 0)
        return {"FailedEntryCount": sum(failed) + already, "Entries": answers}

    return Half(_with(body, "Entries", _kept(entries, failed)), answer)


def _sqs_batch(body: Body, fails: Callable[[], bool]) -> Half | None:
    entries: list[Body] = body["Entries"]
    failed = [fails() for _ in entries]
    if not any(failed):
        return None

    def answer(accepted: Body) -> Body:
        errors = [
            {
                "Id": entry["Id"],
                "SenderFault": False,
                "Code": "InternalError",
                "Message": "chaos: this entry failed",
            }
            for entry, lost in zip(entries, failed, strict=True)
            if lost
        ]
        return {
            "Successful": accepted.get("Successful", []),
            "Failed": [*accepted.get("Failed", []), *errors],
        }

    return Half(_with(body, "Entries", _kept(entries, failed)), answer)


def _batch_write(body: Body, fails: Callable[[], bool]) -> Half | None:
    tables: Mapping[str, list[Body]] = body["RequestItems"]
    failed = {table: [fails() for _ in requests] for table, requests in tables.items()}
    if not any(map(any, failed.values())):
        return None
    left = {table: _kept(requests, failed[table]) for table, requests in tables.items()}
    left = {table: requests for table, requests in left.items() if requests}
    unprocessed = {
        table: [one for one, lost in zip(requests, failed[table], strict=True) if lost]
        for table, requests in tables.items()
        if any(failed[table])
    }

    def answer(accepted: Body) -> Body:
        more = accepted.get("UnprocessedItems", {})
        names = {*unprocessed, *more}
        both = {name: [*unprocessed.get(name, []), *more.get(name, [])] for name in names}
        return {**accepted, "UnprocessedItems": both}

    return Half({**body, "RequestItems": left} if left else None, answer)


def _kept(entries: Sequence[Body], failed: Sequence[bool]) -> list[Body]:
    return [entry for entry, lost in zip(entries, failed, strict=True) if not lost]


def _with(body: Body, name: str, entries: Sequence[Body]) -> Body | None:
    return {**body, name: entries} if entries else None


_CUTS: Mapping[str, Callable[[Body, Callable[[], bool]], Half | None]] = {
    "PutEvents": _put_events,
    "SendMessageBatch": _sqs_batch,
    "DeleteMessageBatch": _sqs_batch,
    "ChangeMessageVisibilityBatch": _sqs_batch,
    "BatchWriteItem": _batch_write,
}
