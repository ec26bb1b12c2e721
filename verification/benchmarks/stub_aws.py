"""AWS in a process of its own that does next to nothing: `python -m` runs it on STUB_PORT.

A table that is an outbox with a stream of one shard, and a bus without rules: answered as AWS
answers, in its JSON over HTTP/1.1 with keep-alive, by one asyncio loop. What an emulator spends on
expressions, rules and queues is left out, so that what is measured against it limits itself. It
checks no signature and no condition, throttles nothing, and a scan finds nothing.
"""

import asyncio
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from time import monotonic, time
from typing import Any

from pydantic_core import from_json, to_json

LOOPBACK = "127.0.0.1"

STATE, RESET = b"GET /state ", b"POST /reset "
"""What a benchmark asks of it beside AWS's calls."""

PAGE_BYTES = 1024 * 1024
"""Of one GetRecords, a quota of DynamoDB Streams."""

_TARGET = re.compile(rb"\r\nx-amz-target: *(\S+)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD_ENDS = b"\r\n\r\n"

_EVENT_ID = b'{"EventId":"11710aed-b79e-4468-a20b-bb3c0c3b4860"}'
_ACCEPTED = [
    b'{"FailedEntryCount":0,"Entries":[%b]}' % b",".join([_EVENT_ID] * count) for count in range(11)
]
"""The answer to a PutEvents, by the number of its entries."""

_ARN = "arn:aws:{}:eu-west-1:111122223333:{}"
_SHARD = "shardId-00000001764594600000-0a1b2c3d"

_RECORD = (
    b'{"awsRegion":"eu-west-1","dynamodb":{"ApproximateCreationDateTime":%d,"Keys":%b,'
    b'"SequenceNumber":"%025d","SizeBytes":600,"StreamViewType":"NEW_IMAGE"},"eventID":"%032x",'
    b'"eventName":"%b","eventSource":"aws:dynamodb","eventVersion":"1.1"}'
)
"""One of the stream's, with the row's image after its keys."""

Operation = Callable[[Any], bytes]
"""Answers a request's JSON."""


class UnknownOperation(Exception):
    """What is asked of AWS is none of what the stub has."""


class StubAws:
    """What was written and published, and when; times are those of CLOCK_MONOTONIC, in seconds."""

    def __init__(self) -> None:
        self._operations: Mapping[str, Operation] = {
            "DescribeTable": _describe_table,
            "DescribeStream": _describe_stream,
            "GetShardIterator": self._shard_iterator,
            "GetRecords": self._get_records,
            "BatchWriteItem": self._batch_write_item,
            "Scan": lambda _: b'{"Count":0,"Items":[],"ScannedCount":0}',
            "DescribeEventBus": _describe_event_bus,
            "PutEvents": self._put_events,
            "GetQueueUrl": _queue_url,
        }
        self.reset()

    def reset(self) -> None:
        """Forget everything; who still follows the stream finds it empty."""
        self._records: list[bytes] = []
        self._rows: set[tuple[str, str]] = set()
        self._published: set[str] = set()
        self._entries = 0
        self._published_at = self._deleted_at = 0.0
        self._calls: Counter[str] = Counter()

    def answer(self, action: str, body: bytes) -> bytes:
        """Do what is asked. Raises UnknownOperation."""
        if action not in self._operations:
            raise UnknownOperation(action)
        self._calls[action] += 1
        return self._operations[action](from_json(body))

    def state(self) -> bytes:
        """Say what is left and what was done, as JSON."""
        return to_json(
            {
                "rows": len(self._rows),
                "published": len(self._published),
                "entries": self._entries,
                "publishedAt": self._published_at,
                "deletedAt": self._deleted_at,
                "calls": self._calls,
            }
        )

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
    stream = _ARN.format("dynamodb", f"table/{name}/stream/2026-12-01T00:00:00.000")
    specification = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    table = {"TableName": name, "TableStatus": "ACTIVE", "StreamSpecification": specification}
    return to_json({"Table": {**table, "LatestStreamArn": stream}})


def _describe_stream(request: Mapping[str, str]) -> bytes:
    shard = {"ShardId": _SHARD, "SequenceNumberRange": {"StartingSequenceNumber": f"{0:025}"}}
    description = {"StreamArn": request["StreamArn"], "StreamStatus": "ENABLED", "Shards": [shard]}
    return to_json({"StreamDescription": description})


def _describe_event_bus(request: Mapping[str, str]) -> bytes:
    name = request["Name"]
    return to_json({"Name": name, "Arn": _ARN.format("events", f"event-bus/{name}")})


def _queue_url(request: Mapping[str, str]) -> bytes:
    port = os.environ["STUB_PORT"]
    return to_json({"QueueUrl": f"http://{LOOPBACK}:{port}/111122223333/{request['QueueName']}"})


class Connection(asyncio.Protocol):
    """One connection of a client, which sends a request when it has the answer to the last."""

    def __init__(self, aws: StubAws, delay: float) -> None:
        self._aws, self._delay = aws, delay
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head_ends = self._received.find(_HEAD_ENDS)
        if head_ends < 0:
            return
        head, start = self._received[:head_ends], head_ends + len(_HEAD_ENDS)
        found = _LENGTH.search(head)
        length = int(found[1]) if found else 0
        if len(self._received) < start + length:
            return
        body, self._received = self._received[start:], b""
        answer = self._answer(head, body)
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._transport.write, answer)
        else:
            self._transport.write(answer)

    def _answer(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(STATE):
            return _http(b"200 OK", self._aws.state())
        if head.startswith(RESET):
            self._aws.reset()
            return _http(b"200 OK", b"{}")
        target = _TARGET.search(head)
        action = target[1].decode().rpartition(".")[2] if target else ""
        try:
            return _http(b"200 OK", self._aws.answer(action, body))
        except UnknownOperation as error:
            print(f"the stub has no operation {error}", file=sys.stderr, flush=True)
            return _http(b"400 Bad Request", b'{"__type":"UnknownOperationException"}')


def _http(status: bytes, body: bytes) -> bytes:
    return (
        b"HTTP/1.1 %b\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: %d\r\n"
        b"x-amzn-RequestId: 8Q0J3V3EXAMPLE\r\n\r\n%b" % (status, len(body), body)
    )


async def serve(port: int, delay: float) -> None:
    """Answer on loopback until SIGTERM, each call `delay` seconds late."""
    aws, loop, stopped = StubAws(), asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    server = await loop.create_server(lambda: Connection(aws, delay), LOOPBACK, port)
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    milliseconds = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    asyncio.run(serve(int(os.environ["STUB_PORT"]), milliseconds / 1000))
