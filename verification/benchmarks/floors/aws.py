"""The calls of the floors, with nothing around them: boto3's, or without botocore."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from verification.benchmarks.floors.lean import SignedClient

T = TypeVar("T")

_OF_AN_ENTRY = ("source", "eventType", "detail", "occurredAt")


def client(service: str) -> Any:
    """Make a client for AWS_ENDPOINT_URL, with a connection for every thread: FLOOR_CLIENT's."""
    if os.environ["FLOOR_CLIENT"] == "lean":
        return SignedClient(service)
    import boto3  # noqa: PLC0415 (a floor without botocore does not load it)
    from botocore.config import Config  # noqa: PLC0415

    make: Any = boto3.client
    return make(
        service,
        region_name=os.environ["AWS_REGION"],
        endpoint_url=os.environ["AWS_ENDPOINT_URL"],
        config=Config(max_pool_connections=50, retries={"total_max_attempts": 1}),
    )


def stream_end(table: str, dynamodb: Any, streams: Any) -> str:
    """An iterator at the end of a table's only shard."""
    arn = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    found: str = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="LATEST"
    )["ShardIterator"]
    return found


def new_images(streams: Any, iterator: str) -> Iterator[list[dict[str, Any]]]:
    """Read a shard on and on: the images of new rows, read by read."""
    while True:
        answer = streams.get_records(ShardIterator=iterator, Limit=1000)
        iterator = answer["NextShardIterator"]
        records = [each for each in answer["Records"] if each["eventName"] == "INSERT"]
        yield [each["dynamodb"]["NewImage"] for each in records]
        if not records:
            time.sleep(0.01)


def cut(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def entry(bus: str, record: Mapping[str, str]) -> dict[str, Any]:
    """An entry of PutEvents, made of an outbox record."""
    return {
        "EventBusName": bus,
        "Source": record["source"],
        "DetailType": record["eventType"],
        "Detail": record["detail"],
        # A text would be parsed twice by botocore, which takes longer than this.
        "Time": datetime.fromisoformat(record["occurredAt"]),
    }


def put_images(events: Any, bus: str, images: Sequence[Mapping[str, Any]], size: int) -> None:
    """Put the events of rows, given as their images in a stream: `size` in a PutEvents."""
    for some in cut(images, size):
        events.put_events(Entries=[_image_entry(bus, image) for image in some])


def _image_entry(bus: str, image: Mapping[str, Any]) -> dict[str, Any]:
    return entry(bus, {name: image[name]["S"] for name in _OF_AN_ENTRY})


def delete_rows(dynamodb: Any, outbox: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Delete rows of an outbox, 25 in a BatchWriteItem."""
    for some in cut(rows, 25):
        keys = [{name: row[name] for name in ("aggregateId", "sequence")} for row in some]
        requests = [{"DeleteRequest": {"Key": key}} for key in keys]
        dynamodb.batch_write_item(RequestItems={outbox: requests})


def consume(sqs: Any, url: str, handle: Callable[[list[str]], object]) -> None:
    """Receive up to ten messages, handle their bodies, delete them, and again."""
    while True:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        messages = answer.get("Messages", [])
        if messages:
            handle([message["Body"] for message in messages])
            handles = [message["ReceiptHandle"] for message in messages]
            entries = [{"Id": str(n), "ReceiptHandle": each} for n, each in enumerate(handles)]
            sqs.delete_message_batch(QueueUrl=url, Entries=entries)


def outbox_record(source: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    """The record of an event, which follows from its detail."""
    metadata = detail["metadata"]
    return {
        "aggregateId": metadata["aggregateId"],
        "sequence": 1,
        "eventId": metadata["eventId"],
        "eventType": detail["event"],
        "source": source,
        "occurredAt": metadata["occurredAt"],
        "detail": json.dumps(detail),
        "correlationId": metadata["correlationId"],
    }


def commit(
    dynamodb: Any, table: str, row: Mapping[str, Any], outbox: str, record: Mapping[str, Any]
) -> None:
    """Write a row that is new, and an outbox record, in one transaction."""
    new_row = {
        "TableName": table,
        "Item": _item(row),
        "ConditionExpression": "attribute_not_exists(#key)",
        "ExpressionAttributeNames": {"#key": "subscriptionId"},
    }
    dynamodb.transact_write_items(
        TransactItems=[{"Put": new_row}, {"Put": {"TableName": outbox, "Item": _item(record)}}]
    )


def _item(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in fields.items()}


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"L": [{"M": _item(each)} for each in value]}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}
