"""Messages that no consumer can handle, for who wants to see what becomes of them."""

import json
from typing import Any, Literal
from uuid import uuid4

from contracts.envelope import PAYLOAD_VERSION, Metadata
from contracts.names import EventType
from contracts.timestamps import format_timestamp
from infra.topology import WORKLOADS, Topology
from operations.sources.origins import BackToQueue, Origin, origins
from operations.sources.routes import SOURCES
from runtime.ids import new_event_id, utc_now

PoisonKind = Literal["not JSON", "wrong version", "missing field"]

WRONG_VERSION = 99

_LEFT_OUT = {
    "stock-subscription-created": "quantity",
    "payments-subscription-created": "accountNumber",
}
"""What a queue's consumer needs and will not find, where it is not the subscriptionId."""


def poison_queues(topology: Topology) -> dict[str, Origin]:
    """Find the queues that events come to by a rule; a relay's queue is not for events."""
    return {
        each.destination.queue: each
        for each in origins(topology, WORKLOADS).values()
        if isinstance(each.destination, BackToQueue) and each.rules
    }


def poison(queue: str, origin: Origin, kind: PoisonKind) -> tuple[str, str]:
    """Make a body, and say in words what is wrong with it."""
    if kind == "not JSON":
        return "this is no event, only a sentence", "a sentence where an event should be"
    event_type = EventType(origin.rules[0].pattern.detail_types[0])
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
        "event": event_type,
        "subscriptionId": subscription_id,
        "quantity": 1,
        "accountNumber": "12345678",
        "metadata": metadata.model_dump(mode="json"),
    }
    left_out = _LEFT_OUT.get(queue, "subscriptionId")
    if not wrong_version:
        del detail[left_out]
    body = {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": event_type,
        "source": SOURCES[event_type],
        "time": format_timestamp(now),
        "resources": [],
        "detail": detail,
    }
    what = f"of version {WRONG_VERSION}" if wrong_version else f"without its {left_out}"
    return json.dumps(body), f"a {event_type} {what}"
