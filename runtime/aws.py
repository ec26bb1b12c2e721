"""AWS clients, made once by a composition root and passed down, and what their errors mean."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import boto3
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    InvalidRegionError,
    LoginError,
    MetadataRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as NotConnected

from runtime.credentials import REFUSED_BY_AWS, session_of
from runtime.errors import Misconfigured, Unavailable
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
        self._profile = profile
        with configuring(profile):
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
        """Make one for a process that starts: raises Misconfigured where it could call nothing."""
        made = cls(region=settings.aws_region, endpoint_url=settings.aws_endpoint_url)
        made.require_credentials()
        return made

    def require_credentials(self) -> None:
        """Raises Misconfigured, with what to do, where no call could be signed.

        Raises Unavailable where what gives the credentials is away.
        """
        with configuring(self._profile):
            self._current.get_frozen_credentials()

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
        with configuring(self._profile):
            return self._session.client(
                service,
                endpoint_url=self._endpoint_url,
                config=self._polling if service == "sqs" else self._config,
            )


@contextmanager
def configuring(profile: str | None = None) -> Iterator[None]:
    """Raise Misconfigured for what boto3 cannot work with, whatever it raises: nothing is called.

    Only what gives the credentials may be called here; where that is away, Unavailable.
    """
    try:
        yield
    except (BotoCoreError, ValueError) as error:
        if _is_away(error):
            raise Unavailable("what gives AWS credentials", type(error).__name__) from error
        raise Misconfigured(f"AWS is not configured: {_what_to_do(error, profile)}") from error


def _is_away(error: Exception) -> bool:
    """Whether it is the network, a throttle, or the metadata service of a container."""
    match error:
        case CredentialRetrievalError():
            refused = error.__cause__
            is_of_container = error.kwargs.get("provider") == "container-role"
            return is_of_container or (isinstance(refused, ClientError) and is_outage(refused))
        case _:
            return isinstance(error, HTTPClientError | NotConnected | MetadataRetrievalError)


def _what_to_do(error: Exception, profile: str | None) -> str:
    """Say in one sentence what is wrong, and what makes it right."""
    named = profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
    of_profile = f" --profile {named}" if named else ""
    said = str(error)
    match error:
        case ProfileNotFound():
            variable = "the domain's ..._PROFILE" if profile else "AWS_PROFILE"
            said += f": set {variable} to one that `aws configure list-profiles` shows"
        case SSOError() | TokenRetrievalError():
            said += f": run `aws sso login{of_profile}`"
        case LoginError():
            said += f": run `aws login{of_profile}`"
        case NoCredentialsError() if named:
            said += f": profile {named} gives none"
        case NoCredentialsError():
            said += (
                ": set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the"
                " process a role"
            )
        case InvalidRegionError():
            said = f"AWS_REGION: {error}"
        case ValueError() if said.startswith("Invalid endpoint"):
            said = f"AWS_ENDPOINT_URL: {error}"
        case CredentialRetrievalError() if isinstance(error.__cause__, EOFError):
            said = f"profile {named} asks for an MFA code"
        case _ if named:
            said += f" (profile {named})"
    return said


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
