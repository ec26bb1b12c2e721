"""Channels: buses, queues, and the queues of what could not go on."""

from collections.abc import Callable, Iterable

from contracts.names import EventType
from infra.resources import Bus, Queue, ToLogGroup
from tools.asyncapi.messages import refs
from tools.asyncapi.schemas import Json, ref
from tools.flows import Flows

SQS_BINDING = "0.2.0"
"""The SQS binding that the schema of AsyncAPI 3.0 knows; there is none for EventBridge."""


def channels(flows: Flows, sent_to: Callable[[str], Iterable[str]]) -> Json:
    """Every channel by the name of its bus or queue; `sent_to` names the messages of a queue."""
    topology = flows.topology
    found: Json = {}
    for domain in topology.domains:
        for bus in domain.buses:
            found[bus.name] = _bus(flows, bus, domain.name)
        for queue in domain.queues:
            if queue.redrive:
                found[queue.name] = _queue(flows, queue, domain.name, sent_to(queue.name))
        for queue in domain.queues:
            if not queue.redrive:
                names = sent_to(queue.name)
                found[queue.name] = _dead_letter_queue(queue, domain.name, names)
    return found


def _bus(flows: Flows, bus: Bus, domain: str) -> Json:
    (archive,) = (each for each in flows.topology.archives if each.bus == bus.name)
    (log_group,) = (
        rule.target.log_group
        for rule in flows.topology.rules
        if rule.bus == bus.name and isinstance(rule.target, ToLogGroup)
    )
    events: list[EventType] = flows.on_bus(bus.name)
    return {
        "address": bus.name,
        "title": bus.name,
        "summary": f"What {domain} publishes, and what rules bring there from other buses.",
        "servers": [ref("servers", "eventbridge")],
        "messages": refs(events),
        "tags": [{"name": domain}],
        "x-kind": "bus",
        "x-archive": {"name": archive.name, "retentionDays": archive.retention_days},
        "x-log-group": log_group,
    }


def _queue(flows: Flows, queue: Queue, domain: str, names: Iterable[str]) -> Json:
    assert queue.redrive is not None  # noqa: S101 (what makes it a work queue)
    (dlq,) = (each for each in flows.topology.queues if each.name == queue.redrive.dlq)
    return {
        "address": queue.name,
        "title": queue.name,
        "summary": (
            "Between a change stream and its bus: in order for each aggregate."
            if queue.fifo
            else f"What {domain} has to handle."
        ),
        "servers": [ref("servers", "sqs")],
        "messages": refs(names),
        "tags": [{"name": domain}],
        "bindings": {
            "sqs": {
                "queue": _bound(queue),
                "deadLetterQueue": _bound(dlq),
                "bindingVersion": SQS_BINDING,
            }
        },
        "x-kind": "queue",
    }


def _dead_letter_queue(queue: Queue, domain: str, names: Iterable[str]) -> Json:
    return {
        "address": queue.name,
        "title": queue.name,
        "summary": "What could not go on, kept for 14 days.",
        "servers": [ref("servers", "sqs")],
        "messages": refs(names),
        "tags": [{"name": domain}, {"name": "dead letters"}],
        "bindings": {"sqs": {"queue": _bound(queue), "bindingVersion": SQS_BINDING}},
        "x-kind": "dead-letter queue",
    }


def _bound(queue: Queue) -> Json:
    bound: Json = {
        "name": queue.name,
        "fifoQueue": queue.fifo,
        "visibilityTimeout": queue.visibility_timeout,
        "messageRetentionPeriod": queue.retention,
    }
    if queue.redrive:
        bound["redrivePolicy"] = {
            "deadLetterQueue": {"name": queue.redrive.dlq},
            "maxReceiveCount": queue.redrive.max_receive_count,
        }
    return bound
