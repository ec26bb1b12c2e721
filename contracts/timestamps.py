"""Times on the wire: ISO 8601, UTC, milliseconds, as in 2026-11-23T09:30:00.000Z."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, PlainSerializer, WithJsonSchema


def format_timestamp(moment: datetime) -> str:
    """Write an aware datetime in the wire's form; what is finer than a millisecond is cut off."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> datetime:
    """Read the wire's form; raises ValueError for any text that is not an aware ISO 8601 time."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone")
    return moment


def to_milliseconds(moment: datetime) -> datetime:
    """Cut a time to what the wire can carry, so that what is kept equals what was sent."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


Timestamp = Annotated[
    AwareDatetime,
    PlainSerializer(format_timestamp, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
