"""Every error that a dependency is known to give has a verdict, and the rest has the default."""

import inspect
from collections import Counter
from collections.abc import Mapping
from itertools import chain
from typing import get_args

import botocore.exceptions
import pymongo.errors
import pytest

from runtime import aws_failures, mongodb_failures
from runtime.aws import Service
from runtime.aws_failures import BOTOCORE_FAMILIES, family_of_code
from runtime.verdicts import HELD, RULES, Family, Verdict, family_of_class
from tests.called import called_operations, listed_errors

# fmt: off
COMMON = [
    "AccessDeniedException", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature",
    "InternalFailure", "InvalidClientTokenId", "InvalidSignatureException",
    "KMSAccessDeniedException", "KMS.DisabledException", "KMS.InvalidStateException",
    "KMS.NotFoundException", "KMS.OptInRequired", "KMS.AccessDeniedException",
    "KMS.ThrottlingException", "MissingAuthenticationToken", "NotAuthorized", "OptInRequired",
    "QuotaExceeded", "RequestExpired", "RequestTimeTooSkewed", "ServiceUnavailable",
    "SignatureDoesNotMatch", "Throttling", "ThrottlingException",
    "UnrecognizedClientException", "AccessDenied", "RequestTimeout", "SlowDown",
    "IDPCommunicationError", "InternalServerError", "TooManyRequestsException",
    "UnauthorizedOperation", "RequestThrottled", "AuthFailure", "InvalidAccessKeyId",
]
# fmt: on
"""What any operation may answer, listed by no model."""


def test_each_family_has_a_rule() -> None:
    """The table is whole, and nothing but a wrong entry is ever set aside at once."""
    assert set(RULES) == set(Family)
    assert [family for family, rule in RULES.items() if rule.verdict is Verdict.DEAD_LETTER] == [
        Family.ENTRY
    ]
    assert not any(rule.verdict is Verdict.EXIT for rule in RULES.values())
    assert Family.UNKNOWN in HELD


def test_the_calls_of_the_code_are_found() -> None:
    """Some that each process is known to make: the list below is drawn from them."""
    assert {
        ("dynamodb", "TransactWriteItems"),
        ("dynamodbstreams", "GetRecords"),
        ("events", "PutEvents"),
        ("sqs", "ReceiveMessage"),
        ("logs", "FilterLogEvents"),
        ("cloudwatch", "GetMetricData"),
    } <= called_operations()


@pytest.mark.parametrize("service", sorted(get_args(Service)))
def test_every_error_that_a_model_lists_has_a_verdict(service: str) -> None:
    """A new botocore, or a new call of ours, brings errors: each is looked at by a person once."""
    listed = sorted(set(listed_errors(service)))
    assert listed
    unlisted = [
        f"{operation}: {code}"
        for operation, code in listed
        if family_of_code(code) is Family.UNKNOWN
    ]
    assert not unlisted


@pytest.mark.parametrize("code", COMMON)
def test_every_common_error_holds(code: str) -> None:
    """None of them says anything against a message: burying it would lose good work."""
    family = family_of_code(code)
    assert family is not Family.UNKNOWN
    assert family in HELD


def test_every_exception_of_botocore_has_a_verdict() -> None:
    """All that botocore.exceptions defines, but its root, which says nothing."""
    kinds = [
        kind
        for kind in vars(botocore.exceptions).values()
        if inspect.isclass(kind) and issubclass(kind, botocore.exceptions.BotoCoreError)
    ]
    unlisted = [
        kind.__name__
        for kind in kinds
        if family_of_class(kind, BOTOCORE_FAMILIES) is Family.UNKNOWN
    ]
    assert unlisted == ["BotoCoreError"]


def test_every_exception_of_pymongo_has_a_verdict() -> None:
    """All that pymongo.errors defines; those that carry a code are judged by it."""
    by_code = {"PyMongoError", "OperationFailure", "WriteError", "BulkWriteError"}
    by_code |= {"ClientBulkWriteException"}
    kinds: list[type[Exception]] = [
        kind
        for kind in vars(pymongo.errors).values()
        if inspect.isclass(kind) and issubclass(kind, pymongo.errors.PyMongoError)
    ]
    unlisted = {
        kind.__name__
        for kind in kinds
        if family_of_class(kind, mongodb_failures.PYMONGO_FAMILIES) in {None, Family.UNKNOWN}
    }
    assert unlisted == by_code


DRIVERS_RETRY = {
    "not primary": (10107, 13435, 10058, 11602, 13436, 189),
    "shutting down": (11600, 91),
    "retryable": (6, 7, 89, 134, 262, 384, 9001, 462, 402, 407, 317, 358),
    "overloaded": (433, 449, 450, 462),
    "interrupted": (50, 11601, 290, 355),
    "authentication": (11, 13, 18, 391, 8000),
}
"""Server codes by what the driver specifications and the server's own categories call them."""


@pytest.mark.parametrize(("what", "codes"), DRIVERS_RETRY.items())
def test_what_drivers_retry_or_log_in_anew_for_holds(what: str, codes: tuple[int, ...]) -> None:
    """A failover, an overload, a password that is being changed: no document is to blame."""
    assert {mongodb_failures.family_of_code(code) for code in codes} <= set(HELD), what


@pytest.mark.parametrize("label", mongodb_failures.LABELS)
def test_a_label_decides_before_the_code(label: str) -> None:
    """The server itself says that the same may pass again, whatever the code."""
    assert mongodb_failures.family_of_code(2, [label]) in HELD


@pytest.mark.parametrize(
    "table", [aws_failures.CODES, aws_failures.EXCEPTIONS, mongodb_failures.CODES]
)
def test_nothing_is_in_two_families(table: Mapping[Family, Mapping[object, object]]) -> None:
    """Else the order of the table would decide."""
    counts = Counter(chain.from_iterable(table.values()))
    assert not [each for each, count in counts.items() if count > 1]


@pytest.mark.parametrize(
    ("code", "status", "family"),
    [
        ("NobodyKnowsThis", 400, Family.UNKNOWN),
        ("NobodyKnowsThis", 503, Family.AWAY),
        ("ValidationException", 500, Family.AWAY),
        ("ThrottlingException", 500, Family.THROTTLED),
        ("403", 403, Family.RIGHTS),
        ("429", 429, Family.THROTTLED),
        ("AWS.SimpleQueueService.NonExistentQueue", 400, Family.MISSING),
        ("KMS.SomethingNew", 400, Family.KEYS),
    ],
)
def test_prefixes_and_statuses(code: str, status: int, family: Family) -> None:
    """SQS's two spellings, and what a proxy on the way answers, which no model lists."""
    assert family_of_code(code, status) is family
