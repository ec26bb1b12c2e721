"""Stream records of an outbox table in the shape in which Lambda hands them to a function."""

import json
from collections.abc import Iterable
from datetime import datetime
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from contracts.outbox import OutboxRecord
from runtime.aws import Aws
from runtime.ids import utc_now
from runtime.outbox.dynamodb_rows import to_item
from tests.builders import ACCOUNT, START

TABLE = "subscriptions-outbox"
LABEL = "2026-11-23T09:00:00.000"
SAMPLES = Path(__file__).parent.parent / "contracts" / "samples"

_numbers = count(4421584500000000017450439091)


def stream_arn(table: str = TABLE) -> str:
    return f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/{table}/stream/{LABEL}"


def a_sample(event_type: str, aggregate_id: str, sequence: int) -> OutboxRecord:
    """The record that led to a published sample, as another aggregate's and of now."""
    event = json.loads((SAMPLES / f"{event_type}.v1.json").read_text())
    detail = event["detail"]
    detail["metadata"] |= {
        "aggregateId": aggregate_id,
        "sequence": sequence,
        "eventId": f"{aggregate_id}-{sequence}",
    }
    return OutboxRecord(
        aggregate_id=aggregate_id,
        sequence=sequence,
        event_id=detail["metadata"]["eventId"],
        event_type=event_type,
        source=event["source"],
        occurred_at=utc_now(),
        detail=json.dumps(detail),
        correlation_id=detail["metadata"]["correlationId"],
        traceparent=detail["metadata"]["traceparent"],
    )


def insert_of(document: dict[str, Any], *, table: str = TABLE) -> dict[str, Any]:
    """The record of a row's insertion, with the next sequence number of the shard."""
    item = to_item(document)
    return a_stream_record(
        "INSERT",
        table=table,
        Keys={name: item[name] for name in ("aggregateId", "sequence")},
        NewImage=item,
    )


def remove_of(document: dict[str, Any]) -> dict[str, Any]:
    """The record of our own delete; the stream holds new images, so it has none."""
    item = to_item(document)
    return a_stream_record(
        "REMOVE", Keys={name: item[name] for name in ("aggregateId", "sequence")}
    )


def a_stream_record(name: str, *, table: str = TABLE, **change: Any) -> dict[str, Any]:
    return {
        "eventID": uuid4().hex,
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": START.timestamp(),
            **change,
            "SequenceNumber": str(next(_numbers)),
            "SizeBytes": len(json.dumps(change)),
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": stream_arn(table),
    }


def shard_of(aws: Aws, table: str) -> list[dict[str, Any]]:
    """All that an outbox's stream tells, from its beginning, as Lambda passes it on."""
    streams, dynamodb = aws.client("dynamodbstreams"), aws.client("dynamodb")
    arn = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    (opened,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=opened["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    found: list[dict[str, Any]] = []
    while (answer := streams.get_records(ShardIterator=iterator, Limit=1000))["Records"]:
        found += [_passed_on(record, arn) for record in answer["Records"]]
        iterator = answer["NextShardIterator"]
    return found


def number_of(record: dict[str, Any]) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def failures(records: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The answer that reports these records."""
    return {"batchItemFailures": [{"itemIdentifier": number_of(each)} for each in records]}


class Remaining:
    """What a function reads of its context: an invocation that ends so many seconds from now."""

    def __init__(self, seconds: float = 240) -> None:
        self._end = monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round((self._end - monotonic()) * 1000))


def _passed_on(record: Any, arn: str) -> dict[str, Any]:
    """A record that GetRecords answered, as Lambda passes it on: JSON, with its stream's ARN."""
    passed_on = {**record, "eventSourceARN": arn}
    read: dict[str, Any] = json.loads(json.dumps(passed_on, default=_seconds))
    return read


def _seconds(value: object) -> float:
    assert isinstance(value, datetime), value
    return value.timestamp()
