"""AWS clients, made once by a composition root and passed down, and what their errors mean."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, Self, overload
from urllib.parse import urlsplit

import structlog
from botocore.config import Config
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    InvalidRegionError,
    LoginError,
    MetadataRetrievalError,
    NoCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as NotConnected
from botocore.httpsession import where
from botocore.utils import get_environ_proxies, is_valid_endpoint_url, validate_region_name

from runtime.aws_failures import BOTOCORE_FAMILIES, family_of_code
from runtime.credentials import session_of
from runtime.errors import Misconfigured, Unavailable
from runtime.lean_client import HOT, LeanClient, give_first_try
from runtime.passed import note
from runtime.rpc_v2_cbor import require_protocol
from runtime.settings import AwsClientSettings, AwsSettings, load
from runtime.verdicts import RULES, Family, Verdict, family_of_class, holds

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

    from runtime.custom_event_bus import CustomEventBusClient

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT = 2.0
"""Seconds until a connection is there, or the call has failed."""

LONG_POLL_SECONDS = 20
"""The longest that ReceiveMessage waits: an SQS client's read timeout comes on top of it."""

NEVER_SENT = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError, SSLError)
"""What a call met before AWS had anything of it; any other failure of a connection leaves it open
whether AWS did what it was asked."""

_GATEWAY_TIMEOUT = 504

_PATIENCE: ContextVar[float | None] = ContextVar("patience", default=None)

Service = Literal[
    "cloudwatch", "dynamodb", "dynamodbstreams", "eventbridgev2", "events", "kms", "logs", "sqs"
]


class Aws:
    """Makes clients for one region and, for an emulator, one endpoint.

    Credentials come from botocore's own chain, or are those of a `profile`, and may change at any
    time (runtime/credentials.py). Calls give up after
    `read_timeout` seconds and are tried at most `attempts` times by botocore; the caller
    decides what an outage then means. botocore `validates` what is sent before AWS does, which an
    emulator does not. The calls of one that is `patient`, in a block of `answered_within`, are
    tried once, and wait for their answers as long as it says.

    Hot calls are made by runtime/lean_client.py, unless AWS_CLIENT says boto3.
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
        patient: bool = False,
    ) -> None:
        self._profile, self._is_patient, self._attempts = profile, patient, attempts
        self._region, self._endpoint_url, self._read_timeout = region, endpoint_url, read_timeout
        self._lean = load(AwsClientSettings).aws_client == "lean"
        with configuring(profile):
            self._current, self._session = session_of(region, profile)
            self._session.get_scoped_config()  # of a profile that there is
        self._connections = connections
        self._config = Config(
            connect_timeout=CONNECT_TIMEOUT,
            max_pool_connections=connections,
            tcp_keepalive=True,
            parameter_validation=validates,
        )
        self._making = Lock()  # a session makes one client at a time

    @classmethod
    def of(cls, settings: AwsSettings, **options: Any) -> Self:
        """Make one for a process that starts: raises Misconfigured where it could call nothing."""
        made = cls(region=settings.aws_region, endpoint_url=settings.aws_endpoint_url, **options)
        made.require_credentials()
        return made

    def require_credentials(self) -> None:
        """Raises Misconfigured, with what to do, where no call could be signed, or Unavailable."""
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
    def client(self, service: Literal["eventbridgev2"]) -> "CustomEventBusClient": ...
    @overload
    def client(self, service: Literal["events"]) -> "EventBridgeClient": ...
    @overload
    def client(self, service: Literal["kms"]) -> "KMSClient": ...
    @overload
    def client(self, service: Literal["logs"]) -> "CloudWatchLogsClient": ...
    @overload
    def client(self, service: Literal["sqs"]) -> "SQSClient": ...
    def client(self, service: Service) -> Any:
        botocores = _BotocoreClient(partial(self._make, service), self._attempts, self._is_patient)
        with configuring(self._profile):
            if self._lean and service in HOT:
                return self._lean_client(service, botocores)
            made = botocores.make()
        return botocores if self._is_patient else made

    def _lean_client(self, service: Service, botocores: "_BotocoreClient") -> Any:
        """The lean one, or botocore's alone where the way to AWS is one that the lean does not go.

        botocore knows AWS's endpoints, and what is wrong with another: then it makes its client.
        """
        endpoint = self._endpoint_url
        if endpoint is None or not is_valid_endpoint_url(endpoint):
            botocores.make()
            endpoint = botocores.meta.endpoint_url
        validate_region_name(self._region)
        if reason := self._not_lean(endpoint):
            log.info("calls are made by botocore's client", service=service, reason=reason)
            botocores.make()
            return botocores
        usual = self._read_timeout_of(service)
        return LeanClient(
            service,
            botocores,
            endpoint=endpoint,
            region=self._region,
            credentials=self._current.get_frozen_credentials,
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=lambda: (patience() if self._is_patient else None) or usual,
            connections=self._connections,
            ca_bundle=self._ca_bundle(),
        )

    def _not_lean(self, endpoint: str) -> str | None:
        """What of this process's configuration only botocore's client heeds; None: nothing."""
        configured = self._session.get_config_variable
        parts = urlsplit(endpoint)
        if parts.path.strip("/"):
            return "the endpoint has a path"
        if get_environ_proxies(endpoint).get(parts.scheme):
            return "there is a proxy"
        if configured("auth_scheme_preference"):
            return "auth_scheme_preference is set"
        if configured("account_id_endpoint_mode") == "required":
            return "account_id_endpoint_mode is required"
        if self._endpoint_url is not None and (
            configured("use_fips_endpoint") or configured("use_dualstack_endpoint")
        ):
            return "an endpoint is set, and a kind of endpoint too"
        return None

    def _ca_bundle(self) -> str:
        bundle = self._session.get_config_variable("ca_bundle")
        return bundle or os.environ.get("REQUESTS_CA_BUNDLE") or where()

    def _make(self, service: Service, attempts: int) -> Any:
        tries: Any = {"total_max_attempts": attempts, "mode": "standard"}
        config = Config(read_timeout=self._read_timeout_of(service), retries=tries)
        with self._making, configuring(self._profile):
            made: Any = self._session.create_client(
                service,
                region_name=self._region,
                endpoint_url=self._endpoint_url,
                config=self._config.merge(config),
            )
        # botocore makes the classes of a service's errors on first use, without a lock: of threads
        # that share a client one would wait for another class than that which is raised.
        _ = made.exceptions
        require_protocol(made, service)
        give_first_try(made)
        if self._is_patient:
            made.meta.events.register("before-call", _be_patient)
        return made

    def _read_timeout_of(self, service: Service) -> float:
        return self._read_timeout + (LONG_POLL_SECONDS if service == "sqs" else 0)


class _BotocoreClient:
    """A client of botocore's, made when it is needed; a patient one has another that tries once."""

    def __init__(self, make: Callable[[int], Any], attempts: int, patient: bool) -> None:  # noqa: FBT001
        self._make, self._attempts, self._is_patient = make, attempts, patient
        self._lock = Lock()
        self._clients: dict[int, Any] = {}

    def make(self) -> Any:
        attempts = 1 if self._is_patient and patience() is not None else self._attempts
        if attempts not in self._clients:
            with self._lock:
                if attempts not in self._clients:
                    self._clients[attempts] = self._make(attempts)
        return self._clients[attempts]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.make(), name)


def _be_patient(context: dict[str, Any], **_: Any) -> None:
    """Have botocore wait for a call's answer as long as its caller's block says."""
    context["read_timeout"] = patience()


@contextmanager
def answered_within(seconds: float) -> Iterator[None]:
    """Have the block's calls, through patient clients, tried once and so long waited for."""
    token = _PATIENCE.set(seconds)
    try:
        yield
    finally:
        _PATIENCE.reset(token)


def patience() -> float | None:
    """Seconds that the caller's block waits for an answer; None: as long as its client does."""
    return _PATIENCE.get()


class CachingAws(Aws):
    """Makes one client for each service and keeps it: making one costs more than most calls."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._clients: dict[str, Any] = {}
        self._lock = Lock()  # a session makes one client at a time; clients are shared

    def client(self, service: Any) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = super().client(service)
            return self._clients[service]


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
    if not isinstance(error, CredentialRetrievalError):
        return isinstance(error, HTTPClientError | NotConnected | MetadataRetrievalError)
    return error.kwargs.get("provider") == "container-role" or _may_pass(error.__cause__)


def _may_pass(refused: BaseException | None) -> bool:
    family = family_of(refused) if isinstance(refused, ClientError) else None
    return family is not None and RULES[family].at_start is Verdict.HOLD


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
            raise Unavailable(
                self._dependency, reason, family, call=self._call, is_lost=is_lost(error)
            ) from error

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
    return family_of_class(type(error), BOTOCORE_FAMILIES)


def is_lost(error: BaseException) -> bool:
    """Whether AWS may have done what it was asked: it has not answered, or not to us (504)."""
    if isinstance(error, ClientError):
        return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == _GATEWAY_TIMEOUT
    return isinstance(error, HTTPClientError | NotConnected) and not isinstance(error, NEVER_SENT)


def error_code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "Unknown")


def error_message(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Message", "")
