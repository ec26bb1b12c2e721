"""A table that is an outbox, its stream of one shard, and a bus without rules."""

from collections.abc import Callable, Mapping, Sequence
from time import monotonic, time
from typing import Any

from pydantic_core import to_json

PAGE_BYTES = 1024 * 1024
"""Of one GetRecords, a quota of DynamoDB Streams."""

_EVENT_ID = b'{"EventId":"11710aed-b79e-4468-a20b-bb3c0c3b4860"}'
_ACCEPTED = [
    b'{"FailedEntryCount":0,"Entries":[%b]}' % b",".join([_EVENT_ID] * count) for count in range(11)
]
"""The answer to a PutEvents, by the number of its entries."""

_RECORD = (
    b'{"awsRegion":"eu-west-1","dynamodb":{"ApproximateCreationDateTime":%d,"Keys":%b,'
    b'"SequenceNumber":"%025d","SizeBytes":600,"StreamViewType":"NEW_IMAGE"},"eventID":"%032x",'
    b'"eventName":"%b","eventSource":"aws:dynamodb","eventVersion":"1.1"}'
)
"""One of the stream's, with the row's image after its keys."""

_SHARD = "shardId-00000001764594600000-0a1b2c3d"


class StubOutbox:
    """What was written and published, and when; times are those of CLOCK_MONOTONIC, in seconds.

    Only rows of a BatchWriteItem are in it; a scan finds none, so nothing is swept.
    """

    def __init__(self) -> None:
        self.operations: Mapping[str, Callable[[Any], bytes]] = {
            "DescribeTable": _describe_table,
            "DescribeStream": _describe_stream,
            "GetShardIterator": self._shard_iterator,
            "GetRecords": self._get_records,
            "BatchWriteItem": self._batch_write_item,
            "Scan": lambda _: b'{"Count":0,"Items":[],"ScannedCount":0}',
            "DescribeEventBus": _describe_event_bus,
            "PutEvents": self._put_events,
        }
        self._records: list[bytes] = []
        self._rows: set[tuple[str, str]] = set()
        self._published: set[str] = set()
        self._entries = 0
        self._published_at = self._deleted_at = 0.0

    def state(self) -> Mapping[str, float]:
        return {
            "rows": len(self._rows),
            "published": len(self._published),
            "entries": self._entries,
            "publishedAt": self._published_at,
            "deletedAt": self._deleted_at,
        }

    def _shard_iterator(self, request: Mapping[str, str]) -> bytes:
        is_latest = request["ShardIteratorType"] == "LATEST"
        return b'{"ShardIterator":"%d"}' % (len(self._records) if is_latest else 0)

    def _get_records(self, request: Mapping[str, Any]) -> bytes:
        """Give a page; an iterator is the number of the first record that was not yet given."""
        start = int(request["ShardIterator"])
        page: list[bytes] = []
        size = 0
        for record in self._records[start : start + int(request.get("Limit", 1000))]:
            size += len(record)
            if page and size > PAGE_BYTES:
                break
            page.append(record)
        onward = b'],"NextShardIterator":"%d"}' % (start + len(page))
        return b'{"Records":[' + b",".join(page) + onward

    def _batch_write_item(self, request: Mapping[str, Any]) -> bytes:
        for requests in request["RequestItems"].values():
            for each in requests:
                if "PutRequest" in each:
                    self._insert(each["PutRequest"]["Item"])
                else:
                    self._remove(each["DeleteRequest"]["Key"])
        return b'{"UnprocessedItems":{}}'

    def _insert(self, item: Mapping[str, Any]) -> None:
        self._rows.add(_key(item))
        keys = {name: item[name] for name in ("aggregateId", "sequence")}
        self._record(b"INSERT", b'%b,"NewImage":%b' % (to_json(keys), to_json(item)))

    def _remove(self, key: Mapping[str, Any]) -> None:
        """Delete a row, whose stream then has a record of that too, as DynamoDB's has."""
        if _key(key) in self._rows:
            self._rows.remove(_key(key))
            self._deleted_at = monotonic()
            self._record(b"REMOVE", to_json(key))

    def _record(self, name: bytes, keys_and_image: bytes) -> None:
        number = len(self._records)
        self._records.append(_RECORD % (time(), keys_and_image, number, number, name))

    def _put_events(self, request: Mapping[str, Sequence[Mapping[str, str]]]) -> bytes:
        entries = request["Entries"]
        self._published.update(entry["Detail"] for entry in entries)
        self._entries += len(entries)
        self._published_at = monotonic()
        return _ACCEPTED[len(entries)]


def _key(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["aggregateId"]["S"], item["sequence"]["N"]


def _describe_table(request: Mapping[str, str]) -> bytes:
    name = request["TableName"]
    specification = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    table = {"TableName": name, "TableStatus": "ACTIVE", "StreamSpecification": specification}
    arn = f"arn:aws:dynamodb:eu-west-1:111122223333:table/{name}/stream/2026-12-01T00:00:00.000"
    return to_json({"Table": {**table, "LatestStreamArn": arn}})


def _describe_stream(request: Mapping[str, str]) -> bytes:
    shard = {"ShardId": _SHARD, "SequenceNumberRange": {"StartingSequenceNumber": f"{0:025}"}}
    description = {"StreamArn": request["StreamArn"], "StreamStatus": "ENABLED", "Shards": [shard]}
    return to_json({"StreamDescription": description})


def _describe_event_bus(request: Mapping[str, str]) -> bytes:
    name = request["Name"]
    return to_json({"Name": name, "Arn": f"arn:aws:events:eu-west-1:111122223333:event-bus/{name}"})
