"""What an error of botocore's means: an outage that passes, or a mistake that stays."""

from typing import Any

import pytest
from botocore.errorfactory import ClientExceptionsFactory
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from runtime.aws import (
    LONG_POLL_SECONDS,
    Aws,
    asking,
    error_code,
    family_of,
    reaching,
)
from runtime.credentials import CREDENTIAL_ERRORS
from runtime.errors import Unavailable
from runtime.verdicts import Family
from tests.fakes import client_error


@pytest.mark.parametrize(
    "error",
    [
        client_error("ProvisionedThroughputExceededException"),
        client_error("ThrottlingException"),
        client_error("RequestThrottled", 403),
        client_error("ExpiredTokenException"),
        client_error("AccessDeniedException"),
        client_error("ResourceNotFoundException"),
        client_error("AWS.SimpleQueueService.NonExistentQueue"),
        client_error("Whatever", 500),
        client_error("502", 502),
        client_error("InvalidSignatureException"),
        client_error("SignatureDoesNotMatch", 403),
        client_error("RequestExpired"),
        client_error("RequestTimeTooSkewed", 403),
        client_error("KMS.DisabledException"),
        client_error("NobodyKnowsThis"),
        ResponseParserError("Unable to parse response, invalid JSON"),
        OSError("credential_process: no such file"),
        EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
        ConnectionClosedError(endpoint_url="http://127.0.0.1:1"),
        ReadTimeoutError(endpoint_url="http://127.0.0.1:1"),
        NoCredentialsError(),
    ],
    ids=lambda error: f"{type(error).__name__} {error}",
)
def test_an_outage_is_unavailable(error: Exception) -> None:
    """Throttles, 5xx, lost connections, roles and resources that are being changed."""
    with (
        pytest.raises(Unavailable, match=r"^DynamoDB is unavailable: ") as raised,
        reaching("DynamoDB"),
    ):
        raise error
    assert raised.value.__cause__ is error
    assert raised.value.dependency == "DynamoDB"


@pytest.mark.parametrize(
    "error",
    [
        client_error("ValidationException"),
        client_error("ConditionalCheckFailedException"),
        client_error("TransactionCanceledException"),
        client_error("InvalidMessageContents"),
        ParamValidationError(report="Invalid type for parameter Key"),
        ValueError("ours"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_mistake_stays_what_it_is(error: Exception) -> None:
    """Waiting mends no request that is wrong: holding a message for it would hold it for ever."""
    with pytest.raises(type(error)) as raised, reaching("DynamoDB"):
        raise error
    assert raised.value is error


@pytest.mark.parametrize(
    "error",
    [
        *map(client_error, sorted(CREDENTIAL_ERRORS)),
        NoCredentialsError(),
        UnauthorizedSSOTokenError(),
        CredentialRetrievalError(provider="custom-process", error_msg="exit code 1"),
    ],
    ids=lambda error: f"{type(error).__name__} {error}",
)
def test_credentials_that_are_not_taken_are_an_outage_that_is_known(error: Exception) -> None:
    """Its family says that other credentials, or a right clock, would help."""
    with pytest.raises(Unavailable) as raised, reaching("DynamoDB"):
        raise error
    assert raised.value.family in {Family.CREDENTIALS, Family.EXPIRED, Family.CLOCK}


@pytest.mark.parametrize("error", [client_error("ValidationException"), client_error("Whatever")])
def test_a_call_that_carries_no_entry_says_nothing_against_one(error: ClientError) -> None:
    """A table that was made anew refuses a scan: the rows wait, and the process stays."""
    with pytest.raises(Unavailable) as raised, asking("DynamoDB"):
        raise error
    assert raised.value.__cause__ is error


def test_an_error_without_particulars_is_unknown() -> None:
    """A response that lacks status and code, as stubs and odd proxies make them."""
    error = ClientError({}, "PutItem")
    assert error_code(error) == "Unknown"
    assert family_of(error) is Family.UNKNOWN
    with pytest.raises(Unavailable) as raised, reaching("DynamoDB", "PutItem"):
        raise error
    assert raised.value.is_unknown
    assert raised.value.call == "PutItem"


def test_threads_that_share_a_client_find_its_errors_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made by two threads at once, two classes would have one name, and the wrong one be caught."""
    sqs = Aws(region="eu-west-1", endpoint_url="http://127.0.0.1:1").client("sqs")
    assert sqs.meta.service_model  # which makes botocore's client
    monkeypatch.setattr(ClientExceptionsFactory, "create_client_exceptions", None)
    assert issubclass(sqs.exceptions.QueueDoesNotExist, ClientError)


def test_only_sqs_waits_as_long_as_a_long_poll() -> None:
    """A receive may take 20 s; any other call that takes long is an outage."""
    aws = Aws(region="eu-west-1", endpoint_url="http://127.0.0.1:1", read_timeout=5)
    sqs: Any = aws.client("sqs").meta.config
    dynamodb: Any = aws.client("dynamodb").meta.config
    assert sqs.read_timeout == LONG_POLL_SECONDS + 5
    assert dynamodb.read_timeout == 5


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (ReadTimeoutError(endpoint_url="http://aws"), True),
        (ConnectionClosedError(endpoint_url="http://aws"), True),
        (client_error("Whatever", 504), True),
        (ConnectTimeoutError(endpoint_url="http://aws"), False),
        (EndpointConnectionError(endpoint_url="http://aws"), False),
        (client_error("ServiceUnavailable", 503), False),
        (client_error("ThrottlingException", 400), False),
    ],
)
def test_what_is_lost_may_have_been_done(error: Exception, lost: bool) -> None:
    """No answer came, once the call was on its way."""
    with pytest.raises(Unavailable) as raised, reaching("EventBridge", "PutEvents"):
        raise error
    assert raised.value.is_lost is lost
