"""Writes the JSON Schemas of what the services publish: `python -m tools.event_schemas`.

One file for each event and version, contracts/schemas/<EventType>.v<version>.json, made from the
publisher's own model, one for what version 2 seals, and one for the outbox record, whose rule
contracts/outbox.py states;
`--check` writes nothing and fails if a file is not what would be written.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import WithDefaultSchema

from contracts.envelope import PAYLOAD_VERSION, EventDetail
from contracts.names import EventType
from contracts.outbox import MAX_SEQUENCE
from contracts.timestamps import ISO_8601
from infra.topology import WORKLOADS
from services.subscription.events import SealedBankDetails
from tools import generated
from tools.flows import LIFECYCLE_OF

SCHEMAS = Path(__file__).parent.parent / "contracts" / "schemas"


Json = dict[str, Any]


def _events() -> Iterator[tuple[tuple[EventType, int], type[EventDetail]]]:
    """Each class of a service's events.py whose `event` can have one value only."""
    for api in (each for each in WORKLOADS if each.path):
        module = import_module(api.command[0].replace(".main", ".events"))
        for each in vars(module).values():
            if isinstance(each, type) and issubclass(each, EventDetail):
                for event_type in get_args(each.model_fields["event"].annotation):
                    yield (EventType(event_type), each.version), each


_FOUND = dict(_events())

EVENTS = {event_type: _FOUND[event_type, PAYLOAD_VERSION] for event_type in LIFECYCLE_OF}
"""The model of each event that a service publishes, by service and sequence, in its version 1."""

VERSION_2 = {each: _FOUND[each, 2] for each in LIFECYCLE_OF if (each, 2) in _FOUND}
"""The models of those that have a second version."""


def text(description: str, **more: Any) -> Json:
    return {"type": "string", "description": description, **more}


def _name(description: str) -> Json:
    return text(description, minLength=1)


OUTBOX_RECORD: Json = {
    "title": "OutboxRecord",
    "type": "object",
    "description": "An event as it was committed, on its way to its bus.",
    "required": [
        *("aggregateId", "sequence", "eventId", "eventType"),
        *("source", "occurredAt", "detail", "correlationId"),
    ],
    "properties": {
        "aggregateId": _name("The aggregate that changed; the queue's message group."),
        "sequence": {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_SEQUENCE,
            "description": "The aggregate's version after the change.",
        },
        "eventId": _name("Ours, UUIDv7; the queue's deduplication id."),
        "eventType": _name("What happened: the detail-type that it will be published with."),
        "source": _name("The source that it will be published with."),
        "occurredAt": text(
            "When the change was decided: ISO 8601 with an offset, a moment in the years 1 to 9999"
            " of UTC. Ours are written as 2026-11-23T09:30:00.000Z; in MongoDB a BSON date is"
            " taken as well.",
            pattern=f"^{re.sub(r'[?]P<[a-z_]+>', '?:', ISO_8601.pattern)}$",
        ),
        "detail": text(
            "The detail, as the JSON text that will be published: an object.",
            contentMediaType="application/json",
        ),
        "correlationId": text(
            "The same on all that one request led to; where it is empty, metadata.correlationId of"
            " detail is."
        ),
        "traceparent": {
            "type": ["string", "null"],
            "description": "W3C trace context; where there is none, metadata.traceparent of detail"
            " is, if that is a text.",
        },
    },
}


def schema_of(event_type: EventType, version: int = PAYLOAD_VERSION) -> Json:
    """The schema (draft 2020-12) of a published detail; further fields may be added to it."""
    return _named(event_type, _schema(_FOUND[event_type, version]), version)


def bank_details_schema() -> Json:
    """The schema (draft 2020-12) of what `bankDetails` has, once it is opened."""
    return _named("BankDetails", _schema(SealedBankDetails))


def outbox_record_schema() -> Json:
    """The schema (draft 2020-12) of what a relay takes from a FIFO queue or a DynamoDB table.

    A schema cannot say that a day is in the calendar, nor how many bytes the record may take.
    """
    return _named("OutboxRecord", OUTBOX_RECORD)


def rendered() -> Mapping[Path, str]:
    """Every file and its text, the same each time it is made."""
    schemas = [schema_of(event_type, version) for event_type, version in _FOUND]
    found = {}
    for schema in (*schemas, bank_details_schema(), outbox_record_schema()):
        name, version = schema["$id"].split(":")[-2:]
        found[SCHEMAS / f"{name}.{version}.json"] = generated.json_text(schema)
    return found


def _schema(model: type[BaseModel]) -> Json:
    return model.model_json_schema(
        by_alias=True, mode="serialization", schema_generator=_AsPublished
    )


def _named(name: str, schema: Json, version: int = PAYLOAD_VERSION) -> Json:
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": f"urn:streamed-events:{name}:v{version}",
        **schema | {"title": name},
    }


class _AsPublished(GenerateJsonSchema):
    """We publish every field, null where there is nothing: a reader may rely on each.

    Titles and defaults are left out: pydantic makes them up from names that say as much.
    """

    def field_is_required(self, *_: Any, **__: Any) -> bool:
        return True

    def field_title_should_be_set(self, *_: Any, **__: Any) -> bool:
        return False

    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


if __name__ == "__main__":
    raise SystemExit(generated.main(sys.argv[1:], rendered(), "make schemas"))
