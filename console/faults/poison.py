"""Messages that no consumer can handle, for who wants to see what becomes of them."""

import json
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

from contracts.envelope import PAYLOAD_VERSION, Metadata
from contracts.names import EventType
from contracts.timestamps import format_timestamp
from infra.graph import kind_of
from infra.resources import ToQueue
from infra.topology import WORKLOADS, Topology
from infra.workloads import Consumes
from operations.sources.routes import SOURCES
from runtime.ids import new_event_id, utc_now

PoisonKind = Literal["not JSON", "wrong version", "missing field"]

WRONG_VERSION = 99

_LEFT_OUT = {
    "stock-subscription-created": "quantity",
    "payments-subscription-created": "accountNumber",
}
"""What a queue's consumer needs and will not find, where it is not the subscriptionId."""


@dataclass(frozen=True)
class PoisonQueue:
    """A work queue that events come to by a rule, who consumes it, and an event it is for."""

    name: str
    consumer: str
    dead_letter_queue: str
    event_type: EventType


def poison_queues(topology: Topology) -> dict[str, PoisonQueue]:
    """Find the queues of the consumers; a relay's queue is not for events."""
    consumers = {
        use.queue: workload.name
        for workload in WORKLOADS
        for use in workload.uses
        if isinstance(use, Consumes) and kind_of(workload) == "consumer"
    }
    dead = {each.name: each.redrive.dlq for each in topology.queues if each.redrive}
    return {
        rule.target.queue: PoisonQueue(
            rule.target.queue,
            consumers[rule.target.queue],
            dead[rule.target.queue],
            EventType(rule.pattern.detail_types[0]),
        )
        for rule in topology.rules
        if isinstance(rule.target, ToQueue)
        and rule.target.queue in consumers
        and rule.pattern.detail_types
    }


def poison(queue: PoisonQueue, kind: PoisonKind) -> tuple[str, str]:
    """Make a body, and say in words what is wrong with it."""
    if kind == "not JSON":
        return "this is no event, only a sentence", "a sentence where an event should be"
    event_id, subscription_id, now = new_event_id(), str(uuid4()), utc_now()
    wrong_version = kind == "wrong version"
    metadata = Metadata(
        event_id=event_id,
        version=WRONG_VERSION if wrong_version else PAYLOAD_VERSION,
        aggregate_id=subscription_id,
        sequence=1,
        occurred_at=now,
        correlation_id=f"poison-{event_id}",
    )
    detail: dict[str, Any] = {
        "event": queue.event_type,
        "subscriptionId": subscription_id,
        "quantity": 1,
        "accountNumber": "12345678",
        "metadata": metadata.model_dump(mode="json"),
    }
    left_out = _LEFT_OUT.get(queue.name, "subscriptionId")
    if not wrong_version:
        del detail[left_out]
    body = {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": queue.event_type,
        "source": SOURCES[queue.event_type],
        "time": format_timestamp(now),
        "resources": [],
        "detail": detail,
    }
    what = f"of version {WRONG_VERSION}" if wrong_version else f"without its {left_out}"
    return json.dumps(body), f"a {queue.event_type} {what}"
