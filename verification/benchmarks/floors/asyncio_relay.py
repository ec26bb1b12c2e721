"""An asyncio relay on aiobotocore: the same calls as the floor's, in tasks in place of threads.

GetRecords of 1000, PutEvents of 10, BatchWriteItem of 25 deletes. It keeps no order, looks at no
failure, and logs nothing. It runs in an environment of its own (`peers.asyncio_python`), so it
imports nothing of ours.
"""

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from importlib import import_module
from typing import Any

TASKS_AT_ONCE = 32
"""Pieces in flight: as many as our relay's publishers."""

_PIECE = 50
"""Rows of a piece: five whole PutEvents and two whole BatchWriteItems."""

Image = Mapping[str, Mapping[str, str]]


async def run(table: str, bus: str) -> None:
    session: Any = import_module("aiobotocore.session").get_session()
    config = import_module("aiobotocore.config").AioConfig(
        max_pool_connections=50, parameter_validation=False
    )
    async with AsyncExitStack() as stack:
        dynamodb, streams, events = [
            await stack.enter_async_context(
                session.create_client(
                    service,
                    region_name=os.environ["AWS_REGION"],
                    endpoint_url=os.environ["AWS_ENDPOINT_URL"],
                    config=config,
                )
            )
            for service in ("dynamodb", "dynamodbstreams", "events")
        ]
        iterator = await _stream_end(table, dynamodb, streams)
        print("ready", flush=True)
        await _relay(streams, iterator, _Piece(dynamodb, table, events, bus))


async def _stream_end(table: str, dynamodb: Any, streams: Any) -> str:
    arn = (await dynamodb.describe_table(TableName=table))["Table"]["LatestStreamArn"]
    description = (await streams.describe_stream(StreamArn=arn))["StreamDescription"]
    (shard,) = description["Shards"]
    answer = await streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST"
    )
    return str(answer["ShardIterator"])


async def _relay(streams: Any, iterator: str, piece: "_Piece") -> None:
    """Read the shard on and on, with at most TASKS_AT_ONCE pieces in flight."""
    room = asyncio.Semaphore(TASKS_AT_ONCE)
    async with asyncio.TaskGroup() as tasks:
        while True:
            answer = await streams.get_records(ShardIterator=iterator, Limit=1000)
            iterator = answer["NextShardIterator"]
            records = [each for each in answer["Records"] if each["eventName"] == "INSERT"]
            for some in _cut([each["dynamodb"]["NewImage"] for each in records], _PIECE):
                await room.acquire()
                task = tasks.create_task(piece.relay(some))
                task.add_done_callback(lambda _: room.release())
            if not records:
                await asyncio.sleep(0.01)


class _Piece:
    """Publishes rows and deletes them."""

    def __init__(self, dynamodb: Any, table: str, events: Any, bus: str) -> None:
        self._dynamodb, self._table = dynamodb, table
        self._events, self._bus = events, bus

    async def relay(self, images: Sequence[Image]) -> None:
        for some in _cut(images, 10):
            await self._events.put_events(Entries=[self._entry(image) for image in some])
        for some in _cut(images, 25):
            keys = [{name: row[name] for name in ("aggregateId", "sequence")} for row in some]
            requests = [{"DeleteRequest": {"Key": key}} for key in keys]
            await self._dynamodb.batch_write_item(RequestItems={self._table: requests})

    def _entry(self, image: Image) -> dict[str, Any]:
        return {
            "EventBusName": self._bus,
            "Source": image["source"]["S"],
            "DetailType": image["eventType"]["S"],
            "Detail": image["detail"]["S"],
            "Time": datetime.fromisoformat(image["occurredAt"]["S"]),
        }


def _cut(items: Sequence[Image], size: int) -> Iterator[Sequence[Image]]:
    return (items[start : start + size] for start in range(0, len(items), size))


if __name__ == "__main__":
    asyncio.run(run(os.environ["OUTBOX_TABLE"], os.environ["EVENT_BUS"]))
