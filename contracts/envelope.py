"""What every event looks like: EventBridge's envelope, our flat detail, and its metadata."""

from functools import cache
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from contracts.first_version import is_of_first_version, upcast
from contracts.names import EventType
from contracts.timestamps import Timestamp

PAYLOAD_VERSION = 1
"""Of an event that was never published otherwise."""


class NotAnEvent(ValueError):
    """A text that is not an event of this system; says what is wrong, never the values."""


class WireModel(BaseModel):
    """camelCase on the wire, snake_case in Python, never changed once made."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, serialize_by_alias=True
    )

    @classmethod
    def from_fields_of(cls, *parts: Any, **fields: object) -> Self:
        """Take the attributes that it has of these dataclasses, and `fields`; the last wins."""
        found: dict[str, object] = {}
        for part in parts:
            kind: Any = type(part)
            found |= {name: getattr(part, name) for name in _taken_of(cls, kind)}
        return cls.model_validate(found | fields)


@cache
def _taken_of(model: type[WireModel], part: type[Any]) -> tuple[str, ...]:
    """Which attributes of a dataclass a model has: by its fields' names, or what they read."""
    fields = model.model_fields
    wanted = {*fields, *(str(field.validation_alias) for field in fields.values())}
    known = {*getattr(part, "__dataclass_fields__", ()), *vars(part)}
    return tuple(sorted(wanted & known))


class ReadModel(WireModel):
    """What comes in: read by the wire's names alone, since a guess at a field hides a mistake."""

    model_config = ConfigDict(populate_by_name=False)


class Metadata(WireModel):
    """What a reader needs to deduplicate, to order and to trace an event."""

    event_id: str = Field(description="Ours, UUIDv7; the one to deduplicate on.", min_length=1)
    version: int = Field(description="Version of the detail's schema.", ge=1)
    aggregate_id: str = Field(description="The aggregate that changed.", min_length=1)
    sequence: int = Field(description="The aggregate's version after the change.", ge=1)
    occurred_at: Timestamp = Field(description="When the change was decided.")
    correlation_id: str = Field(description="The same on all that one request led to.")
    causation_id: str | None = Field(
        default=None, description="eventId of the event that led to this one; null for a request."
    )
    traceparent: str | None = Field(default=None, description="W3C trace context, if there is one.")


class EventDetail(WireModel):
    """A published event's detail: the aggregate's fields, flat, and the metadata.

    `version` is that of its schema.
    """

    version: ClassVar[int] = PAYLOAD_VERSION

    event: EventType = Field(description="What happened; the same as the event's detail-type.")
    metadata: Metadata


class _Envelope(BaseModel):
    id: str
    source: str
    detail_type: str = Field(alias="detail-type")
    detail: dict[str, Any]

    def lifted(self) -> dict[str, Any]:
        detail = upcast(self.id, self.detail_type, self.detail)
        return {
            "id": self.id,
            "source": self.source,
            "detail-type": self.detail_type,
            "detail": detail,
            "metadata": detail.get("metadata"),
            "is_of_first_version": is_of_first_version(self.detail_type, self.detail),
        }


class ReceivedEvent(_Envelope):
    """An event as EventBridge hands it to a queue. Unknown fields are other readers' business."""

    model_config = ConfigDict(frozen=True)

    metadata: Metadata
    is_of_first_version: bool

    @classmethod
    def parse(cls, body: str) -> Self:
        """Read a queue message's body; one of the first version is completed.

        Raises NotAnEvent, naming each field that is wrong, for a body that is not JSON, not an
        EventBridge event, or whose detail lacks our metadata.
        """
        try:
            return cls.model_validate(
                _Envelope.model_validate_json(body).lifted(), by_alias=True, by_name=False
            )
        except ValidationError as error:
            raise NotAnEvent(describe(error)) from None


def describe(error: ValidationError) -> str:
    """Each field and the rule it broke, without the values: those may be bank details."""
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc']) or 'body'}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    )
