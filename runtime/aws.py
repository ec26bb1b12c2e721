"""AWS clients, made once by a composition root and passed down, and what their errors mean."""

from typing import TYPE_CHECKING, Any, Literal, Self, overload

import boto3
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
)

from runtime.credentials import REFUSED_BY_AWS, session_of
from runtime.errors import Unavailable
from runtime.settings import AwsSettings

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

LONG_POLL_SECONDS = 20
"""The longest that ReceiveMessage waits: an SQS client's read timeout comes on top of it."""

_SERVER_ERROR = 500
_AWAY = {
    # too fast for them
    "LimitExceededException",
    "OverLimit",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottlingError",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
    # their trouble
    "InternalError",
    "InternalException",
    "InternalFailure",
    "InternalServerError",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    # ours, but no message's: a role, a secret or a resource that is being changed
    "AccessDenied",
    "AccessDeniedException",
    "AWS.SimpleQueueService.NonExistentQueue",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "UnrecognizedClientException",
}

Service = Literal["cloudwatch", "dynamodb", "dynamodbstreams", "events", "logs", "sqs"]


class Aws:
    """Makes clients for one region and, for an emulator, one endpoint.

    Credentials come from boto3's own chain, or are those of a `profile`, and may change at any
    time (runtime/credentials.py). Calls give up after
    `read_timeout` seconds and are tried at most `attempts` times by botocore; whoever calls
    decides what an outage then means. botocore `validates` what is sent before AWS does, which an
    emulator does not: 7 % of the CPU of a GetRecords, 24 % of a TransactWriteItems.
    """

    def __init__(
        self,
        *,
        region: str,
        endpoint_url: str | None = None,
        profile: str | None = None,
        connections: int = 50,
        read_timeout: float = 5,
        attempts: int = 3,
        validates: bool = True,
    ) -> None:
        self._current, session = session_of(region, profile)
        self._session = boto3.Session(botocore_session=session)
        self._endpoint_url = endpoint_url
        self._config = Config(
            connect_timeout=2,
            read_timeout=read_timeout,
            max_pool_connections=connections,
            retries={"total_max_attempts": attempts, "mode": "standard"},
            tcp_keepalive=True,
            parameter_validation=validates,
        )
        self._polling = self._config.merge(Config(read_timeout=LONG_POLL_SECONDS + read_timeout))

    @classmethod
    def of(cls, settings: AwsSettings) -> Self:
        return cls(region=settings.aws_region, endpoint_url=settings.aws_endpoint_url)

    def credentials(self) -> ReadOnlyCredentials | None:
        """Those of now; None if boto3 finds none. Raises a BotoCoreError if they have expired."""
        try:
            return self._current.get_frozen_credentials()
        except NoCredentialsError:
            return None

    def has_other_credentials(self) -> bool:
        """Whether there are others than those that `credentials` gave, which were refused."""
        return self._current.has_others()

    @overload
    def client(self, service: Literal["cloudwatch"]) -> "CloudWatchClient": ...
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
    def client(self, service: Service) -> Any:
        return self._session.client(
            service,
            endpoint_url=self._endpoint_url,
            config=self._polling if service == "sqs" else self._config,
        )


class reaching:  # noqa: N801 (it is used as contextlib's own are)
    """Raises Unavailable for what an outage, a throttle or a 5xx looks like through botocore."""

    def __init__(self, dependency: str) -> None:
        self._dependency = dependency

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        reason = None if error is None else _outage(error)
        if reason is not None:
            raise Unavailable(self._dependency, reason) from error


def _outage(error: BaseException) -> str | None:
    """Why an error is an outage; None for one that no waiting makes right."""
    match error:
        case ClientError():
            return error_code(error) if is_outage(error) else None
        case ParamValidationError():
            return None
        case HTTPClientError() | BotoCoreError():
            return type(error).__name__
        case _:
            return None


def is_outage(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= _SERVER_ERROR or error_code(error) in _AWAY | REFUSED_BY_AWS


def error_code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "Unknown")
