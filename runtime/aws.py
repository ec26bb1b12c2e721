"""AWS clients, made once by a composition root and passed down, and what their errors mean."""

from typing import TYPE_CHECKING, Any, Literal, Self, overload

import boto3
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError, NoCredentialsError

from runtime.aws_failures import family_of_class, family_of_code
from runtime.credentials import session_of
from runtime.errors import Unavailable
from runtime.passed import note
from runtime.settings import AwsSettings
from runtime.verdicts import Family, holds

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

LONG_POLL_SECONDS = 20
"""The longest that ReceiveMessage waits: an SQS client's read timeout comes on top of it."""

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
    """Raises Unavailable for every error that `runtime.verdicts` holds, and for unknown ones.

    `call` names what is asked of the dependency. What is the entry's own fault, a lost race or a
    bug of this system comes through as it is.
    """

    def __init__(self, dependency: str, call: str = "") -> None:
        self._dependency, self._call = dependency, call

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            note(self._dependency, self._call)
            return
        family = family_of(error)
        if family is not None and self._holds(family):
            reason = error_code(error) if isinstance(error, ClientError) else type(error).__name__
            raise Unavailable(self._dependency, reason, family, call=self._call) from error

    def _holds(self, family: Family) -> bool:
        return holds(family)


class asking(reaching):  # noqa: N801 (likewise)
    """As `reaching`, for a call that carries no entry: for a receive, a scan, a look.

    No answer of AWS's to it says anything against a message or a row, so each is Unavailable.
    """

    def _holds(self, family: Family) -> bool:  # noqa: ARG002 (any)
        return True


def family_of(error: BaseException) -> Family | None:
    """The family of an error; None if it is neither AWS's nor the way's to it."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return family_of_code(error_code(error), status)
    return family_of_class(type(error))


def error_code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "Unknown")
