"""Writes the JSON Schemas of what the services publish: `python -m tools.event_schemas`.

One file for each event, contracts/schemas/<EventType>.v1.json, made from the publisher's own model,
and one for the outbox record, whose rule contracts/outbox.py states;
`--check` writes nothing and fails if a file is not what would be written.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import WithDefaultSchema

from contracts.envelope import PAYLOAD_VERSION, EventDetail
from contracts.names import EventType
from contracts.outbox import MAX_SEQUENCE
from contracts.timestamps import ISO_8601
from infra.topology import LIFECYCLES, WORKLOADS

SCHEMAS = Path(__file__).parent.parent / "contracts" / "schemas"


def event_type_of(model: type[EventDetail]) -> EventType:
    """The one value that the model's `event` can have."""
    (event_type,) = get_args(model.model_fields["event"].annotation)
    return EventType(event_type)


def _events() -> Iterator[type[EventDetail]]:
    for api in (each for each in WORKLOADS if each.path):
        module = import_module(api.command[0].replace(".main", ".events"))
        models = {
            event_type_of(each): each
            for each in vars(module).values()
            if isinstance(each, type) and each.__module__ == module.__name__
            if issubclass(each, EventDetail) and get_args(each.model_fields["event"].annotation)
        }
        yield from (models[event] for event in LIFECYCLES[api.domain].events)


EVENTS = tuple(_events())
"""The model of each event that a service publishes, by service and sequence."""


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


def _name(description: str) -> dict[str, Any]:
    return _text(description, minLength=1)


OUTBOX_RECORD: dict[str, Any] = {
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
        "occurredAt": _text(
            "When the change was decided: ISO 8601 with an offset, a moment in the years 1 to 9999"
            " of UTC. Ours are written as 2026-11-23T09:30:00.000Z; in MongoDB a BSON date is"
            " taken as well.",
            pattern=f"^{re.sub(r'[?]P<[a-z_]+>', '?:', ISO_8601.pattern)}$",
        ),
        "detail": _text(
            "The detail, as the JSON text that will be published: an object.",
            contentMediaType="application/json",
        ),
        "correlationId": _text("The same on all that one request led to."),
        "traceparent": {
            "type": ["string", "null"],
            "description": "W3C trace context; absent where there is none.",
        },
    },
}


def schema_of(model: type[EventDetail]) -> dict[str, Any]:
    """The schema (draft 2020-12) of a published detail; further fields may be added to it."""
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": f"urn:streamed-events:{event_type_of(model)}:v{PAYLOAD_VERSION}",
        **model.model_json_schema(
            by_alias=True, mode="serialization", schema_generator=_AsPublished
        ),
    }


def outbox_record_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of what a relay takes from a FIFO queue or a DynamoDB table.

    A schema cannot say that a day is in the calendar, nor how many bytes the record may take.
    """
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": f"urn:streamed-events:OutboxRecord:v{PAYLOAD_VERSION}",
        **OUTBOX_RECORD,
    }


def rendered(folder: Path) -> Mapping[Path, str]:
    """Every file and its text, the same each time it is made."""
    schemas = {str(event_type_of(model)): schema_of(model) for model in EVENTS}
    schemas["OutboxRecord"] = outbox_record_schema()
    return {
        folder / f"{name}.v{PAYLOAD_VERSION}.json": (
            json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        )
        for name, schema in schemas.items()
    }


def drift(folder: Path = SCHEMAS) -> list[str]:
    """Files of the folder that are missing, differ, or belong to nothing, by name."""
    wanted = rendered(folder)
    committed = {path: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(
        path.name
        for path in wanted.keys() | committed.keys()
        if wanted.get(path) != committed.get(path)
    )


def main(arguments: Sequence[str], folder: Path = SCHEMAS) -> int:
    if arguments == ["--check"]:
        drifted = drift(folder)
        if drifted:
            sys.stderr.write(f"run `python -m tools.event_schemas`: {', '.join(drifted)}\n")
        return 1 if drifted else 0
    folder.mkdir(exist_ok=True)
    for path, text in rendered(folder).items():
        path.write_text(text, encoding="utf-8")
    return 0


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
    raise SystemExit(main(sys.argv[1:]))
