"""Queues on an emulator: made, and kept at the attributes and policies that the topology says."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from infra.arns import Arns
from infra.changes import Change, change_of
from infra.policies import queue_policy_document
from infra.resources import Queue, QueuePolicy, RedrivePolicy
from infra.topology import Topology

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# SQS takes these as JSON text, and an empty text removes them.
DOCUMENTS = ("Policy", "RedrivePolicy")


def render_queues(sqs: "SQSClient", topology: Topology, arns: Arns) -> list[Change]:
    """Whether a queue is FIFO cannot drift: that is part of its name."""
    policies = {policy.queue: policy for policy in topology.queue_policies}
    wanted = {
        queue.name: _attributes(queue, policies.get(queue.name), arns) for queue in topology.queues
    }
    urls = {url.rsplit("/", 1)[-1]: url for url in sqs.list_queues().get("QueueUrls", [])}
    existed = wanted.keys() & urls.keys()
    # Every queue first, and only then the redrive policies: SQS refuses one whose DLQ is not there.
    for name in wanted.keys() - urls.keys():
        urls[name] = _create(sqs, name, wanted[name])
    return [
        change
        for name, attributes in wanted.items()
        for change in change_of(
            "queue", name, existed=name in existed, what=_update(sqs, urls[name], attributes)
        )
    ]


def _attributes(queue: Queue, policy: QueuePolicy | None, arns: Arns) -> dict[str, str]:
    attributes = {
        "VisibilityTimeout": str(queue.visibility_timeout),
        "MessageRetentionPeriod": str(queue.retention),
        "RedrivePolicy": json.dumps(_redrive(queue.redrive, arns)) if queue.redrive else "",
        "Policy": json.dumps(queue_policy_document(policy, arns)) if policy else "",
    }
    if queue.fifo:
        attributes["ContentBasedDeduplication"] = str(queue.content_based_deduplication).lower()
    return attributes


def _redrive(redrive: RedrivePolicy, arns: Arns) -> dict[str, str | int]:
    dlq_arn = arns.queue(redrive.dlq)
    return {"deadLetterTargetArn": dlq_arn, "maxReceiveCount": redrive.max_receive_count}


def _create(sqs: "SQSClient", name: str, attributes: Mapping[str, str]) -> str:
    plain = {key: value for key, value in attributes.items() if key not in DOCUMENTS}
    fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    # The stubs list the attributes' names as literals; these are some of them.
    given: Any = {**plain, **fifo}
    return sqs.create_queue(QueueName=name, Attributes=given)["QueueUrl"]


def _update(sqs: "SQSClient", url: str, attributes: Mapping[str, str]) -> list[str]:
    """Set what differs; returns the names of those attributes."""
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    current: Mapping[str, str] = {str(key): value for key, value in found.items()}
    different: Any = {
        key: value
        for key, value in attributes.items()
        if _meaning(key, value) != _meaning(key, current.get(key, ""))
    }
    if different:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=different)
    return sorted(different)


def _meaning(key: str, value: str) -> Any:
    """Two texts of one JSON document are the same attribute."""
    return json.loads(value) if key in DOCUMENTS and value else value
