"""Queues of a test's own, on the emulator, and what is in them."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from infra.arns import Arns
from infra.local_queues import render_queues
from infra.resources import DAY, Domain, RedrivePolicy
from infra.resources import Queue as QueueResource
from infra.topology import Topology
from runtime.aws import Aws
from runtime.sqs.queue import SourceQueue, find_queue
from tests.builders import ACCOUNT


@dataclass(frozen=True)
class TestQueue:
    """A work queue and its dead-letter queue."""

    __test__ = False

    sqs: Any
    queue: SourceQueue

    def send(self, *bodies: str) -> None:
        """Send in batches, so that a receive can return them together."""
        for start in range(0, len(bodies), 10):
            entries = [
                {"Id": str(index), "MessageBody": body}
                for index, body in enumerate(bodies[start : start + 10])
            ]
            answer = self.sqs.send_message_batch(QueueUrl=self.queue.url, Entries=entries)
            assert not answer.get("Failed")

    def depth(self) -> tuple[int, int]:
        """Messages that wait, and messages that somebody has received and not deleted."""
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.queue.url, AttributeNames=["All"])[
            "Attributes"
        ]
        return (
            int(attributes["ApproximateNumberOfMessages"]),
            int(attributes["ApproximateNumberOfMessagesNotVisible"]),
        )

    def empty(self) -> bool:
        return self.depth() == (0, 0)

    def dead_letters(self) -> dict[str, tuple[str, str]]:
        """Take what is in the dead-letter queue: body → errorType, errorMessage."""
        found: dict[str, tuple[str, str]] = {}
        while True:
            messages = self.sqs.receive_message(
                QueueUrl=self.queue.dead_letter_url,
                MaxNumberOfMessages=10,
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            if not messages:
                break
            for message in messages:
                attributes = message.get("MessageAttributes", {})
                found[message["Body"]] = (
                    attributes.get("errorType", {}).get("StringValue", ""),
                    attributes.get("errorMessage", {}).get("StringValue", ""),
                )
                self.sqs.delete_message(
                    QueueUrl=self.queue.dead_letter_url, ReceiptHandle=message["ReceiptHandle"]
                )
        return found


def make_queue(aws: Aws, *, visibility_timeout: int = 60, max_receives: int = 5) -> TestQueue:
    """A work queue as the topology makes them, but for its limits."""
    name = f"work-{uuid4().hex[:8]}"
    dlq = f"{name}-dlq"
    topology = Topology(
        (
            Domain(
                name="test",
                queues=(
                    QueueResource(
                        name,
                        visibility_timeout=visibility_timeout,
                        redrive=RedrivePolicy(dlq, max_receives),
                    ),
                    QueueResource(dlq, retention=14 * DAY),
                ),
            ),
        )
    )
    sqs = aws.client("sqs")
    region = sqs.meta.region_name
    render_queues(sqs, topology, Arns.in_one_account(topology, ACCOUNT, region))
    return TestQueue(sqs, find_queue(sqs, name))
