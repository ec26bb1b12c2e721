"""What AWS answers for each family of failures: the codes are those of the table of verdicts."""

import random

from runtime.aws_failures import CODES
from runtime.verdicts import Family
from verification.testkit.http_messages import HttpMessage, answer

UNLISTED = "UnlistedError"
"""A code that is in no list."""

_NAMESPACES = {
    "AmazonSQS": "com.amazonaws.sqs#",
    "AWSEvents": "",
    "DynamoDB_20120810": "com.amazonaws.dynamodb.v20120810#",
    "DynamoDBStreams_20120810": "com.amazonaws.dynamodb.v20120810#",
}
"""How each service's JSON begins an error's type."""

QUERY_CODES = {
    "QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDeletedRecently": "AWS.SimpleQueueService.QueueDeletedRecently",
    "KmsAccessDenied": "KMS.AccessDeniedException",
    "KmsDisabled": "KMS.DisabledException",
    "KmsInvalidKeyUsage": "KMS.InvalidKeyUsageException",
    "KmsInvalidState": "KMS.InvalidStateException",
    "KmsNotFound": "KMS.NotFoundException",
    "KmsOptInRequired": "KMS.OptInRequired",
    "KmsThrottled": "KMS.ThrottlingException",
}
"""What SQS says beside a code of its JSON, for clients that know its older protocol's."""


def codes_of(family: Family) -> tuple[str, ...]:
    """Every code that an answer of this family may have, in order; none where no code says it."""
    return (UNLISTED,) if family is Family.UNKNOWN else tuple(sorted(CODES[family]))


def refuse(request: HttpMessage, family: Family, chosen: random.Random) -> HttpMessage:
    """Refuse a request with an error of this family, as the service that is asked writes it."""
    code = chosen.choice(codes_of(family))
    body = {"__type": f"{_NAMESPACES.get(request.service, '')}{code}", "message": "injected"}
    is_sqs = request.service == "AmazonSQS"
    headers = {"x-amzn-query-error": f"{QUERY_CODES.get(code, code)};Sender"} if is_sqs else {}
    return answer(500 if family is Family.AWAY else 400, body, headers)
