"""An emulated AWS of one's own, and its queues."""

from functools import cache
from typing import Any
from uuid import uuid4

from runtime.aws import Aws, CachingAws
from tests.conftest import MiniStack


def empty_aws(ministack: MiniStack, *, dynamodb: str | None = None) -> Aws:
    """An AWS with nothing in it: the emulators keep every region apart, whatever its name.

    `dynamodb` is the endpoint of another emulator, for DynamoDB and its streams.
    """
    region = f"test-{uuid4().hex[:8]}"
    rest = CachingAws(region=region, endpoint_url=ministack.endpoint)
    return rest if dynamodb is None else WithDynamoDB(rest, dynamodb, region=region)


class WithDynamoDB(CachingAws):
    """Has DynamoDB and its streams at an endpoint, and everything else of another AWS."""

    def __init__(self, rest: Aws, endpoint: str, *, region: str) -> None:
        super().__init__(region=region, endpoint_url=endpoint)
        self._rest = rest

    @cache  # noqa: B019  (as above)
    def client(self, service: Any) -> Any:
        is_here = service.startswith("dynamodb")
        return super().client(service) if is_here else self._rest.client(service)


def url_of(aws: Aws, queue: str) -> str:
    return aws.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]


def attributes_of(aws: Aws, queue: str) -> dict[str, Any]:
    found = aws.client("sqs").get_queue_attributes(
        QueueUrl=url_of(aws, queue), AttributeNames=["All"]
    )["Attributes"]
    return {str(key): value for key, value in found.items()}
