"""AWS clients, made once by a composition root and passed down; nothing here is global."""

from typing import TYPE_CHECKING, Literal, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

type_of_service = Literal["dynamodb", "dynamodbstreams", "events", "logs", "sqs"]


class Aws:
    """Makes clients for one region and, for an emulator, one endpoint.

    Credentials come from boto3's own chain. Calls give up after `read_timeout` seconds and are
    tried at most `attempts` times by botocore; whoever calls decides what an outage then means.
    """

    def __init__(
        self,
        *,
        region: str,
        endpoint_url: str | None = None,
        connections: int = 50,
        read_timeout: float = 5,
        attempts: int = 3,
    ) -> None:
        self._session = boto3.Session(region_name=region)
        self._endpoint_url = endpoint_url
        self._config = Config(
            connect_timeout=2,
            read_timeout=read_timeout,
            max_pool_connections=connections,
            retries={"total_max_attempts": attempts, "mode": "standard"},
            tcp_keepalive=True,
        )

    @overload
    def client(self, service: Literal["dynamodb"]) -> "DynamoDBClient": ...
    @overload
    def client(self, service: Literal["dynamodbstreams"]) -> "DynamoDBStreamsClient": ...
    @overload
    def client(self, service: Literal["events"]) -> "EventBridgeClient": ...
    @overload
    def client(self, service: Literal["logs"]) -> "CloudWatchLogsClient": ...
    @overload
    def client(self, service: Literal["sqs"]) -> "SQSClient": ...
    def client(self, service: Literal["dynamodb", "dynamodbstreams", "events", "logs", "sqs"]):  # type: ignore[no-untyped-def]
        return self._session.client(
            service, endpoint_url=self._endpoint_url, config=self._config
        )
