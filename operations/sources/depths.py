"""How many messages a queue has: what SQS says without receiving any."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from operations.environment import Environment
from runtime.aws import asking
from runtime.sqs.queue import find_url

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True)
class Depth:
    """Messages that can be received, and that were received and not deleted.

    Approximate on AWS, for a minute after the last message was sent.
    """

    visible: int
    in_flight: int

    @property
    def total(self) -> int:
        return self.visible + self.in_flight


def depth_of(sqs: "SQSClient", url: str) -> Depth:
    """Count a queue's messages; delayed ones count as visible. Raises Unavailable."""
    with asking("SQS"):
        found = sqs.get_queue_attributes(
            QueueUrl=url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesDelayed",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )["Attributes"]
    return Depth(
        int(found["ApproximateNumberOfMessages"])
        + int(found.get("ApproximateNumberOfMessagesDelayed", 0)),
        int(found["ApproximateNumberOfMessagesNotVisible"]),
    )


def find_depth(sqs: "SQSClient", queue: str) -> Depth:
    """Count the messages of a queue by its name. Raises Unavailable, Misconfigured."""
    return depth_of(sqs, find_url(sqs, queue))


def held(environment: Environment, domain: str, queue: str) -> int:
    """Count what waits in a queue and what is in flight. Raises Unavailable, Misconfigured."""
    return find_depth(environment.aws(domain).client("sqs"), queue).total
