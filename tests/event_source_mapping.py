"""Lambda's event source mapping on a DynamoDB stream, for one shard, as Lambda's guide tells it.

https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html and
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html say: the lowest reported
sequence number is the checkpoint, and everything from it on is sent again; an empty or absent list
is a success, an identifier that is none of the batch's fails all of it; a batch that fails is
halved, if the mapping bisects, at no cost in retries; a batch that has had its retries is dropped,
and a message about it, without its records, goes to the on-failure destination.

Whether a batch is halved whose first record is reported, they leave open: here it is if the mapping
bisects, and without `bisects` all of it shares its first record's fate.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.builders import ACCOUNT
from tests.stream_events import number_of

Records = list[dict[str, Any]]
Function = Callable[[dict[str, Any]], Any]
"""From an event to its answer; what it raises is a function error."""


@dataclass
class EventSourceMapping:
    """Reads a shard from its beginning to its end; `dropped` are the on-failure messages."""

    function: Function
    batch_size: int = 100
    retries: int = 10
    bisects: bool = True
    dropped: list[dict[str, Any]] = field(default_factory=list)
    batches: list[list[str]] = field(default_factory=list)

    def read(self, shard: Records) -> None:
        inserts = [record for record in shard if record["eventName"] == "INSERT"]
        for start in range(0, len(inserts), self.batch_size):
            self._bring_home(inserts[start : start + self.batch_size])

    def _bring_home(self, batch: Records) -> None:
        waiting = [(batch, 0)]
        while waiting:
            batch, failed = waiting.pop(0)
            position, error = self._invoke(batch)
            if position is None:
                continue
            rest = batch[position:]
            if self.bisects and position:
                waiting.insert(0, (rest, failed))
            elif self.bisects and len(rest) > 1:
                half = len(rest) // 2
                waiting[:0] = [(rest[:half], failed), (rest[half:], failed)]
            elif failed < self.retries:
                waiting.insert(0, (rest, failed + 1))
            else:
                self.dropped.append(_message(rest, failed + 1, error))

    def _invoke(self, batch: Records) -> tuple[int | None, str | None]:
        """Where the batch failed, if it did, and the function's error."""
        self.batches.append([number_of(record) for record in batch])
        event = json.loads(json.dumps({"Records": batch}))
        try:
            answer = json.loads(json.dumps(self.function(event)))
        except Exception:  # noqa: BLE001 (the runtime reports whatever it is)
            return 0, "Unhandled"
        reported = (answer or {}).get("batchItemFailures") or []
        numbers = [number_of(record) for record in batch]
        identifiers = [each.get("itemIdentifier") for each in reported]
        if not identifiers:
            return None, None
        if any(each not in numbers for each in identifiers):
            return 0, None
        return min(numbers.index(each) for each in identifiers), None


def _message(batch: Records, invocations: int, error: str | None) -> dict[str, Any]:
    function_error = {"functionError": error} if error else {}
    return {
        "requestContext": {
            "requestId": str(uuid4()),
            "functionArn": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:relay-publish",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": invocations,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", **function_error},
        "version": "1.0",
        "timestamp": "2026-11-23T09:31:00.000Z",
        "DDBStreamBatchInfo": {
            "shardId": "shardId-00000001763888400000-0a1b2c3d",
            "startSequenceNumber": number_of(batch[0]),
            "endSequenceNumber": number_of(batch[-1]),
            "approximateArrivalOfFirstRecord": "2026-11-23T09:30:00Z",
            "approximateArrivalOfLastRecord": "2026-11-23T09:30:00Z",
            "batchSize": len(batch),
            "streamArn": batch[0]["eventSourceARN"],
        },
    }
