"""SQS's own redrive: what `streamed dlq redrive` does not use, and an operator may."""

import json

from tests.integration.conformance.account import Account


def a_queue_with_its_dlq(account: Account) -> tuple[str, str, str]:
    """Its URL, and its dead-letter queue's URL and ARN."""
    dlq_url, dlq = account.queue()
    policy = json.dumps({"deadLetterTargetArn": dlq, "maxReceiveCount": "1"})
    url, _ = account.queue(VisibilityTimeout="0", RedrivePolicy=policy)
    return url, dlq_url, dlq


def test_a_move_task_brings_dead_letters_back(account: Account) -> None:
    """To the queue that they came from."""
    url, dlq_url, dlq = a_queue_with_its_dlq(account)
    account.sqs.send_message(QueueUrl=url, MessageBody="a")

    def is_dead() -> bool:
        account.sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)
        found = account.sqs.get_queue_attributes(
            QueueUrl=dlq_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return bool(found["Attributes"]["ApproximateNumberOfMessages"] == "1")

    assert account.until(is_dead)
    account.sqs.start_message_move_task(SourceArn=dlq)
    assert [each["Body"] for each in account.received(url, 1)] == ["a"]


def test_a_dead_letter_queue_knows_its_sources(account: Account) -> None:
    """By their redrive policies."""
    url, dlq_url, _ = a_queue_with_its_dlq(account)
    sources = account.sqs.list_dead_letter_source_queues(QueueUrl=dlq_url)["queueUrls"]
    assert [each.rsplit("/", 1)[-1] for each in sources] == [url.rsplit("/", 1)[-1]]


def test_a_message_may_have_a_mebibyte(account: Account) -> None:
    """A quota of SQS; an event of EventBridge fits too."""
    url, _ = account.queue()
    account.sqs.send_message(QueueUrl=url, MessageBody="x" * 1024 * 1024)
    (message,) = account.received(url, 1)
    assert len(message["Body"]) == 1024 * 1024
