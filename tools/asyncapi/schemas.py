"""Schemas in AsyncAPI's own dialect, which every AsyncAPI tool reads.

That dialect is draft 7 of JSON Schema; the files in contracts/schemas are draft 2020-12. What they
use means the same in both but for two things, which are put in draft 7's way: `$defs` become
components, and what stands beside a `$ref`, which draft 7 ignores, wraps it.
"""

from collections.abc import Iterator
from typing import Any

from contracts.envelope import EventDetail
from contracts.names import EventType
from contracts.outbox import BASE64_BSON, DYNAMODB_JSON, ROW_KEY
from tools.event_schemas import EVENTS, OUTBOX_RECORD, VERSION_2, Json, schema_of, text
from tools.flows import LIFECYCLE_OF


def ref(place: str, name: str) -> Json:
    return {"$ref": f"#/{place}/{name.replace('~', '~0').replace('/', '~1')}"}


def schemas() -> Json:
    """Every component, by name."""
    found: Json = {"EventBridgeEvent": ENVELOPE}
    for event_type in EVENTS:
        found |= dict(_components(event_type, f"{event_type}Detail", schema_of(event_type)))
        if event_type in VERSION_2:
            found |= dict(
                _components(event_type, f"{event_type}V2Detail", schema_of(event_type, 2))
            )
        found[f"{event_type}Event"] = _event(event_type)
    return {
        **found,
        "OutboxRecord": OUTBOX_RECORD,
        "PutByEventBridge": PUT_BY_EVENTBRIDGE,
        "PutByConsumer": _put_by("Consumer", receiveCount=RECEIVE_COUNT),
        "PutByRelay": _put_by("Relay", bodyEncoding=BODY_ENCODING),
        "StreamBatch": STREAM_BATCH,
    }


def _components(event_type: EventType, name: str, schema: Json) -> Iterator[tuple[str, Json]]:
    """The detail, and what it refers to under a name that no other event has."""
    domain = LIFECYCLE_OF[event_type].domain.removesuffix("s").title()
    names = {name: name if name == "Metadata" else domain + name for name in schema["$defs"]}
    for defined, definition in schema["$defs"].items():
        yield names[defined], _in_draft_7(definition, names)
    kept = {k: v for k, v in schema.items() if k not in {"$schema", "$id", "$defs"}}
    detail = _in_draft_7(kept, names)
    detail["properties"]["event"]["description"] = EventDetail.model_fields["event"].description
    yield name, detail


def _in_draft_7(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_in_draft_7(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    if "$ref" not in value:
        return {key: _in_draft_7(each, names) for key, each in value.items()}
    target = ref("components/schemas", names[value["$ref"].removeprefix("#/$defs/")])
    beside = {key: each for key, each in value.items() if key != "$ref"}
    return {**beside, "allOf": [target]} if beside else target


def _event(event_type: EventType) -> Json:
    return {
        "title": f"{event_type} as it is delivered",
        "allOf": [
            ref("components/schemas", "EventBridgeEvent"),
            {
                "type": "object",
                "properties": {
                    "detail-type": {"const": str(event_type)},
                    "source": {"const": str(LIFECYCLE_OF[event_type].source)},
                    "detail": _detail(event_type),
                },
            },
        ],
    }


def _detail(event_type: EventType) -> Json:
    """A detail says of which version it is; all but a few events have one."""
    first = ref("components/schemas", f"{event_type}Detail")
    if event_type not in VERSION_2:
        return first
    is_second = {"required": ["version"], "properties": {"version": {"const": 2}}}
    return {
        "if": {"required": ["metadata"], "properties": {"metadata": is_second}},
        "then": ref("components/schemas", f"{event_type}V2Detail"),
        "else": first,
    }


ENVELOPE: Json = {
    "title": "EventBridgeEvent",
    "type": "object",
    "description": "What EventBridge puts around every event.",
    "required": [
        *("version", "id", "detail-type", "source", "account"),
        *("time", "region", "resources", "detail"),
    ],
    "properties": {
        "version": {"const": "0", "description": "Of the envelope, not of the event."},
        "id": text("EventBridge's own, new with each publication: not the one to deduplicate on."),
        "detail-type": text("What happened."),
        "source": text("The domain that published it."),
        "account": text("The AWS account that published it.", pattern="^[0-9]{12}$"),
        "time": text("When it was decided, in whole seconds.", format="date-time"),
        "region": text("Where it was published."),
        "resources": {
            "type": "array",
            "items": {"type": "string"},
            "description": "ARNs that it is about: no event of this system names any.",
        },
        "replay-name": text("The replay that brought it again; absent otherwise."),
        "detail": {"type": "object", "description": "The event itself."},
    },
}

PUT_BY_EVENTBRIDGE: Json = {
    "title": "PutByEventBridge",
    "type": "object",
    "description": "Message attributes of an event that a rule could not deliver.",
    "required": ["RULE_ARN", "TARGET_ARN", "ERROR_CODE"],
    "properties": {
        "RULE_ARN": text("The rule that was to deliver it."),
        "TARGET_ARN": text("Where it was to go."),
        "ERROR_CODE": text("Why it did not, such as NO_PERMISSIONS."),
        "ERROR_MESSAGE": text("The same in words."),
        "EXHAUSTED_RETRY_CONDITION": text("Which limit ended the retries."),
        "RETRY_ATTEMPTS": text("How often it was tried again.", pattern="^[0-9]+$"),
    },
}

STREAM_BATCH: Json = {
    "title": "StreamBatch",
    "type": "object",
    "description": (
        "What Lambda says about records that it gave up: where they were, not what they held. "
        "Their rows are still in the outbox."
    ),
    "required": ["requestContext", "DDBStreamBatchInfo"],
    "properties": {
        "requestContext": {"type": "object", "description": "The function, and why it gave up."},
        "DDBStreamBatchInfo": {"type": "object", "description": "Shard and sequence numbers."},
    },
}


RECEIVE_COUNT = text("How often it had been received.", pattern="^[0-9]+$")
BODY_ENCODING = text(
    "How the body is written that is not the row as plain JSON; absent else.",
    enum=[DYNAMODB_JSON, BASE64_BSON, ROW_KEY],
)


def _put_by(process: str, **more: Json) -> Json:
    return {
        "title": f"PutBy{process}",
        "type": "object",
        "description": "Message attributes of what a process of this system dead-lettered.",
        "required": ["errorType", "errorMessage"],
        "properties": {
            "errorType": text("The class of the error."),
            "errorMessage": text("What was wrong, without bank details."),
            **more,
        },
    }
