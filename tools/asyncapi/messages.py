"""Messages: events as they are delivered, records on their way to a bus, and dead letters."""

import json
from collections.abc import Iterable

from contracts.names import EventType
from contracts.outbox import OutboxRecord
from contracts.timestamps import parse_timestamp
from tools.asyncapi.schemas import Json, ref
from tools.event_schemas import EVENTS, event_type_of
from tools.flows import Flows, domain_of, sample_of

REFUSED_MESSAGE, UNPUBLISHABLE, ABANDONED = "RefusedMessage", "UnpublishableRow", "AbandonedBatch"
"""Dead letters that may hold anything."""

RULE_ARN = "arn:aws:events:eu-west-1:000000000000:rule/{bus}/{rule}"
BUS_ARN = "arn:aws:events:eu-west-1:000000000000:event-bus/{bus}"


def record_name(event_type: EventType) -> str:
    return f"{event_type}Record"


def undelivered_name(event_type: EventType) -> str:
    return f"{event_type}Undelivered"


def refs(names: Iterable[str]) -> Json:
    """Map message names to their components, as a channel lists them."""
    return {str(name): ref("components/messages", name) for name in names}


def messages(flows: Flows, queued: Iterable[EventType]) -> Json:
    """Every component; `queued` are those that wait as records in a queue before their bus."""
    summaries = {event_type_of(model): (model.__doc__ or "").strip() for model in EVENTS}
    forwarded = dict.fromkeys(
        each for rule in flows.topology.rules if rule.dlq for each in flows.through(rule)
    )
    return {
        **{str(each): _event(each, summaries[each]) for each in EventType},
        **{record_name(each): _record(each) for each in queued},
        **{undelivered_name(each): _undelivered(flows, each) for each in forwarded},
        REFUSED_MESSAGE: {
            "name": REFUSED_MESSAGE,
            "title": "A message that a consumer refused",
            "summary": "Its body as it was received, byte for byte, and the reason beside it.",
            "contentType": "text/plain",
            "headers": ref("components/schemas", "PutByConsumer"),
            "payload": {"type": "string", "description": "Whatever was received: mostly an event."},
            "tags": [{"name": "dead letters"}],
            "examples": [
                {
                    "name": "notJson",
                    "headers": {
                        "errorType": "NotAnEvent",
                        "errorMessage": "body: Invalid JSON: expected value at line 1 column 1",
                        "receiveCount": "1",
                    },
                    "payload": "not an event",
                }
            ],
        },
        UNPUBLISHABLE: {
            "name": UNPUBLISHABLE,
            "title": "A row of the outbox that can never be published",
            "summary": "The row, or what could be read of it, and the reason beside it.",
            "contentType": "text/plain",
            "headers": ref("components/schemas", "PutByRelay"),
            "payload": {"type": "string", "description": "Mostly an outbox record, as JSON."},
            "tags": [{"name": "dead letters"}],
            "examples": [
                {
                    "name": "malformed",
                    "headers": {
                        "errorType": "MalformedRecord",
                        "errorMessage": "eventId is missing",
                    },
                    "payload": '{"aggregateId":"8bafc8b9-58d6-5e6c-9256-db6c11513867"}',
                }
            ],
        },
        ABANDONED: {
            "name": ABANDONED,
            "title": "A batch of a DynamoDB stream that Lambda gave up",
            "summary": "On AWS only; the sweep publishes its rows when it can.",
            "contentType": "application/json",
            "payload": ref("components/schemas", "StreamBatch"),
            "tags": [{"name": "dead letters"}],
            "examples": [
                {
                    "name": "retriesExhausted",
                    "payload": {
                        "requestContext": {"condition": "RetryAttemptsExhausted"},
                        "DDBStreamBatchInfo": {"batchSize": 1},
                    },
                }
            ],
        },
    }


def _event(event_type: EventType, summary: str) -> Json:
    return {
        "name": str(event_type),
        "title": str(event_type),
        "summary": summary,
        "contentType": "application/json",
        "payload": ref("components/schemas", f"{event_type}Event"),
        "correlationId": ref("components/correlationIds", "ofAnEvent"),
        "tags": [{"name": domain_of(event_type)}],
        "examples": [{"name": "sample", "payload": sample_of(event_type)}],
    }


def _record(event_type: EventType) -> Json:
    return {
        "name": record_name(event_type),
        "title": f"{event_type}, as it was committed",
        "summary": "An outbox record between its database and its bus.",
        "contentType": "application/json",
        "payload": {
            "allOf": [
                ref("components/schemas", "OutboxRecord"),
                {"type": "object", "properties": {"eventType": {"const": str(event_type)}}},
            ]
        },
        "correlationId": ref("components/correlationIds", "ofARecord"),
        "tags": [{"name": domain_of(event_type)}],
        "examples": [{"name": "sample", "payload": _recorded(sample_of(event_type))}],
    }


def _recorded(event: Json) -> Json:
    """The record that the sample was published from."""
    metadata = event["detail"]["metadata"]
    record = OutboxRecord(
        aggregate_id=metadata["aggregateId"],
        sequence=metadata["sequence"],
        event_id=metadata["eventId"],
        event_type=event["detail-type"],
        source=event["source"],
        occurred_at=parse_timestamp(metadata["occurredAt"]),
        detail=json.dumps(event["detail"], separators=(",", ":")),
        correlation_id=metadata["correlationId"],
        traceparent=metadata["traceparent"],
    )
    return dict(record.to_document())


def _undelivered(flows: Flows, event_type: EventType) -> Json:
    rule = next(
        each for each in flows.topology.rules if each.dlq and event_type in flows.through(each)
    )
    return {
        "name": undelivered_name(event_type),
        "title": f"{event_type} that a rule could not deliver",
        "summary": "EventBridge tried for 24 hours, or was refused for good.",
        "contentType": "application/json",
        "headers": ref("components/schemas", "PutByEventBridge"),
        "payload": ref("components/schemas", f"{event_type}Event"),
        "correlationId": ref("components/correlationIds", "ofAnEvent"),
        "tags": [{"name": domain_of(event_type)}, {"name": "dead letters"}],
        "examples": [
            {
                "name": "noPermission",
                "headers": {
                    "RULE_ARN": RULE_ARN.format(bus=rule.bus, rule=rule.name),
                    "TARGET_ARN": BUS_ARN.format(bus=getattr(rule.target, "bus", rule.bus)),
                    "ERROR_CODE": "NO_PERMISSIONS",
                    "ERROR_MESSAGE": "The rule's role may not put events on the target.",
                },
                "payload": sample_of(event_type),
            }
        ],
    }
