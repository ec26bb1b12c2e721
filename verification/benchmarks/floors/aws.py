"""AWS clients of a floor: boto3's, with nothing around them."""

import os
from datetime import datetime
from typing import Any

import boto3
from botocore.config import Config


def client(service: str) -> Any:
    """Make a client for AWS_ENDPOINT_URL, with a connection for every thread."""
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


def entry(bus: str, image: dict[str, Any]) -> dict[str, Any]:
    """An entry of PutEvents, made of an outbox row's image."""
    return {
        "EventBusName": bus,
        "Source": image["source"]["S"],
        "DetailType": image["eventType"]["S"],
        "Detail": image["detail"]["S"],
        # A text would be parsed twice by botocore, which takes longer than this.
        "Time": datetime.fromisoformat(image["occurredAt"]["S"]),
    }
