"""A document of an outbox collection as a row: decoded by itself, known and deleted by its bytes.

The driver would decode a whole page at once, and one document that it cannot read would cost all of
it, and the change stream too.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import bson
from bson.code import Code
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from contracts.outbox import MAX_SEQUENCE, MalformedRecord, OutboxRecord
from contracts.timestamps import format_timestamp, parse_timestamp
from relay.rows import BASE64_BSON, Row, Unpublishable, parse

RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
"""Leaves each document as its bytes."""

_DECODED: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
_ANY_TEXT = _DECODED.with_options(unicode_decode_error_handler="replace")
_UNREADABLE = (BSONError, ValueError, OverflowError, RecursionError, TypeError)

_ID = b"_id\0"
_FIRST = 4
"""Where a document's first element is: behind its length."""

# https://bsonspec.org/spec.html: the bytes of a value by its type; where they vary, a length comes
# first, which leaves some of them out.
_EMPTY, _FOUR, _EIGHT = (0x06, 0x0A, 0x7F, 0xFF), (0x10,), (0x01, 0x09, 0x11, 0x12)
_FIXED = {
    0x07: 12,
    0x08: 1,
    0x13: 16,
    **dict.fromkeys(_EMPTY, 0),
    **dict.fromkeys(_FOUR, 4),
    **dict.fromkeys(_EIGHT, 8),
}
_LEFT_OUT = {0x02: 4, 0x03: 0, 0x04: 0, 0x05: 5, 0x0C: 16, 0x0D: 4, 0x0E: 4, 0x0F: 0}


def row_of(document: RawBSONDocument) -> Row:
    """Read a document, whatever its `_id` is and whatever is in it; never raises.

    The row's handle is the type and the value of its `_id`, as BSON.
    """
    raw = bytes(document.raw)
    handle = _id_of(raw)
    try:
        fields = bson.decode(raw, _DECODED)
    except _UNREADABLE as error:
        return Row(*_key_of(_key_alone(handle), handle), handle, _undecodable(raw, error))
    return Row(*_key_of(fields["_id"], handle), handle, _content_of(fields, raw))


def moment_of(document: RawBSONDocument) -> datetime | None:
    """When a document's event occurred; None if that cannot be read. A projection is enough."""
    try:
        found = bson.decode(bytes(document.raw), _DECODED).get("occurredAt")
        if isinstance(found, datetime):
            return found
        return parse_timestamp(found) if isinstance(found, str) else None
    except _UNREADABLE:
        return None


def is_in_array(document: RawBSONDocument) -> bool:
    """Whether a document's time is an array: a query takes that for each of its elements."""
    try:
        return isinstance(bson.decode(bytes(document.raw), _ANY_TEXT).get("occurredAt"), list)
    except _UNREADABLE:
        return False


def filter_of(handles: Iterable[bytes]) -> RawBSONDocument:
    """A query for the documents that have one of these as their `_id`, byte for byte."""
    ids = b"".join(
        handle[:1] + str(index).encode() + b"\0" + handle[1:]
        for index, handle in enumerate(handles)
    )
    return RawBSONDocument(_document(b"\x03" + _ID + _document(b"\x04$in\0" + _document(ids))))


def _content_of(fields: dict[str, Any], raw: bytes) -> OutboxRecord | Unpublishable:
    for name, value in fields.items():
        if isinstance(value, Code):
            fields[name] = value.encode(errors="replace")  # JavaScript: a text to Python alone
    if isinstance(found := fields.get("occurredAt"), datetime):
        fields["occurredAt"] = format_timestamp(found)
    if fields["_id"] == {name: fields.get(name) for name in ("aggregateId", "sequence")}:
        del fields["_id"]  # it says nothing more
    return parse(fields, lambda: (_base64(raw), BASE64_BSON))


def _undecodable(raw: bytes, error: Exception) -> Unpublishable:
    reason = MalformedRecord(f"the driver cannot decode it: {type(error).__name__}: {error}")
    return Unpublishable(_base64(raw), reason, BASE64_BSON)


def _key_of(key: object, handle: bytes) -> tuple[str, int]:
    """Aggregate and sequence by a document's `_id`; a name of its own for any other `_id`."""
    if isinstance(key, Mapping):
        aggregate_id, sequence = key.get("aggregateId"), key.get("sequence")
        if (
            isinstance(aggregate_id, str)
            and isinstance(sequence, int)
            and not isinstance(sequence, bool)
            and aggregate_id
            and 1 <= sequence <= MAX_SEQUENCE
        ):
            return aggregate_id, sequence
    return f"unknown-{hashlib.sha256(handle).hexdigest()[:32]}", 0


def _key_alone(handle: bytes) -> object:
    """The `_id` of a document that cannot be decoded; None if that cannot be either."""
    try:
        return bson.decode(_document(handle[:1] + _ID + handle[1:]), _DECODED)["_id"]
    except _UNREADABLE:
        return None


def _id_of(raw: bytes) -> bytes:
    """The type and the value of a document's `_id`, which the server keeps as its first element."""
    begin = _FIRST + 1 + len(_ID)
    kind, found = raw[_FIRST], raw[_FIRST + 1 : begin]
    if found != _ID:
        raise ValueError("a document without an _id at its beginning")
    size = _FIXED.get(kind)
    if size is None:
        size = _LEFT_OUT[kind] + int.from_bytes(raw[begin : begin + 4], "little")
    return raw[_FIRST : _FIRST + 1] + raw[begin : begin + size]


def _document(elements: bytes) -> bytes:
    return (len(elements) + _FIRST + 1).to_bytes(4, "little") + elements + b"\0"


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
