"""Channels: buses, queues, and the queues of what could not go on."""

from collections.abc import Iterator, Sequence

from infra.resources import Bus, Queue, ToLogGroup
from infra.topology import TOPOLOGY
from tools.asyncapi.operations import Does
from tools.asyncapi.schemas import ref
from tools.event_schemas import Json

SQS_BINDING = "0.2.0"
"""The SQS binding that the schema of AsyncAPI 3.0 knows; there is none for EventBridge."""

QUEUES = {queue.name: queue for queue in TOPOLOGY.queues}


def channels(operations: Sequence[Does]) -> Json:
    """Every channel by the name of its bus or queue, with what somebody sends there."""
    found: Json = {channel["address"]: channel for channel in _channels()}
    for each in operations:
        for name in each.messages:
            found[each.channel]["messages"][name] = ref("components/messages", name)
    return found


def _channels() -> Iterator[Json]:
    for domain in TOPOLOGY.domains:
        for bus in domain.buses:
            yield _bus(bus, domain.name)
        for queue in sorted(domain.queues, key=lambda each: each.redrive is None):
            yield _queue(queue, domain.name)


def _bus(bus: Bus, domain: str) -> Json:
    archive = next(each for each in TOPOLOGY.archives if each.bus == bus.name)
    (log_group,) = (
        rule.target.log_group
        for rule in TOPOLOGY.rules
        if rule.bus == bus.name and isinstance(rule.target, ToLogGroup)
    )
    summary = f"What {domain} publishes, and what rules bring there from other buses."
    return {
        **_channel(bus.name, summary, "eventbridge", domain),
        "x-kind": "bus",
        "x-archive": {"name": archive.name, "retentionDays": archive.retention_days},
        "x-log-group": log_group,
    }


def _queue(queue: Queue, domain: str) -> Json:
    bound = {"queue": _bound(queue)}
    if queue.redrive is None:
        kind, tags = "dead-letter queue", [domain, "dead letters"]
        summary = "What could not go on, kept for 14 days."
    else:
        kind, tags = "queue", [domain]
        bound["deadLetterQueue"] = _bound(QUEUES[queue.redrive.dlq])
        summary = f"What {domain} has to handle."
        if queue.fifo:
            summary = "Between a change stream and its bus: in order for each aggregate."
    return {
        **_channel(queue.name, summary, "sqs", *tags),
        "bindings": {"sqs": {**bound, "bindingVersion": SQS_BINDING}},
        "x-kind": kind,
    }


def _channel(name: str, summary: str, server: str, *tags: str) -> Json:
    return {
        "address": name,
        "title": name,
        "summary": summary,
        "servers": [ref("servers", server)],
        "messages": {},
        "tags": [{"name": tag} for tag in tags],
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
