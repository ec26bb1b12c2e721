"""Messages: events as they are delivered, records on their way to a bus, and dead letters."""

import json
from collections.abc import Collection, Iterator

from contracts.names import EventType
from infra.topology import TOPOLOGY
from tools.asyncapi.schemas import ref
from tools.event_schemas import EVENTS, VERSION_2, Json
from tools.flows import LIFECYCLE_OF, sample_of, through

REFUSED_MESSAGE, UNPUBLISHABLE, ABANDONED = "RefusedMessage", "UnpublishableRow", "AbandonedBatch"
"""Dead letters that may hold anything."""

RULE_ARN = "arn:aws:events:eu-west-1:000000000000:rule/{bus}/{rule}"
BUS_ARN = "arn:aws:events:eu-west-1:000000000000:event-bus/{bus}"

OTHER_DEAD_LETTERS: Json = {
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


def record_name(event_type: EventType) -> str:
    return f"{event_type}Record"


def undelivered_name(event_type: EventType) -> str:
    return f"{event_type}Undelivered"


def messages(sent: Collection[str]) -> Json:
    """Every component: all events, what else is `sent` of them, and the other dead letters."""
    forms = {record_name(each): (_record, each) for each in EventType}
    forms |= {undelivered_name(each): (_undelivered, each) for each in EventType}
    found = {name: form(each) for name, (form, each) in forms.items() if name in sent}
    return {**{str(each): _event(each) for each in EventType}, **found, **OTHER_DEAD_LETTERS}


def _event(event_type: EventType) -> Json:
    return {
        "name": str(event_type),
        "title": str(event_type),
        "summary": (EVENTS[event_type].__doc__ or "").strip(),
        "contentType": "application/json",
        "payload": ref("components/schemas", f"{event_type}Event"),
        "correlationId": ref("components/correlationIds", "ofAnEvent"),
        "tags": [{"name": LIFECYCLE_OF[event_type].domain}],
        "examples": [*_samples(event_type)],
    }


def _samples(event_type: EventType) -> Iterator[Json]:
    yield {"name": "sample", "payload": sample_of(event_type)}
    if event_type in VERSION_2:
        yield {"name": "version2", "payload": sample_of(event_type, 2)}


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
        "tags": [{"name": LIFECYCLE_OF[event_type].domain}],
        "examples": [{"name": "sample", "payload": _recorded(sample_of(event_type))}],
    }


def _recorded(event: Json) -> Json:
    """The record that the sample was published from."""
    metadata = event["detail"]["metadata"]
    return {
        "aggregateId": metadata["aggregateId"],
        "sequence": metadata["sequence"],
        "eventId": metadata["eventId"],
        "eventType": event["detail-type"],
        "source": event["source"],
        "occurredAt": metadata["occurredAt"],
        "detail": json.dumps(event["detail"], separators=(",", ":")),
        "correlationId": metadata["correlationId"],
        "traceparent": metadata["traceparent"],
    }


def _undelivered(event_type: EventType) -> Json:
    rule = next(each for each in TOPOLOGY.rules if each.dlq and event_type in through(each))
    return {
        "name": undelivered_name(event_type),
        "title": f"{event_type} that a rule could not deliver",
        "summary": "EventBridge tried for 24 hours, or was refused for good.",
        "contentType": "application/json",
        "headers": ref("components/schemas", "PutByEventBridge"),
        "payload": ref("components/schemas", f"{event_type}Event"),
        "correlationId": ref("components/correlationIds", "ofAnEvent"),
        "tags": [{"name": LIFECYCLE_OF[event_type].domain}, {"name": "dead letters"}],
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
