"""A document of an outbox collection as a row: decoded by itself, known and deleted by its bytes.

The driver would decode a whole page at once, and one document that it cannot read would cost all of
it, and the change stream too.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import bson
from bson.code import Code
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from contracts.outbox import BASE64_BSON, MAX_SEQUENCE, MalformedRecord, OutboxRecord
from contracts.timestamps import format_timestamp, parse_timestamp
from runtime.mongodb import Document
from runtime.outbox.rows import Row, Unpublishable, parse

RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
"""Leaves each document as its bytes."""

_DECODED: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
_ANY_TEXT = _DECODED.with_options(unicode_decode_error_handler="replace")
_UNREADABLE = (BSONError, ValueError, OverflowError, RecursionError, TypeError)

_ID = b"_id\0"
_KEY = ("aggregateId", "sequence")
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


def to_document(record: OutboxRecord) -> Document:
    """Write a record with the key that makes it unique: one per aggregate and sequence."""
    return {
        "_id": {"aggregateId": record.aggregate_id, "sequence": record.sequence},
        **record.to_document(),
    }


def rows_of(batch: bytes) -> Iterator[tuple[Row, bytes]]:
    """Read a batch of documents, one behind the other, each with its bytes; never raises.

    They are decoded together, which is faster, and each by itself where that fails.
    """
    raws = list(_split(batch))
    try:
        documents = bson.decode_all(batch, _DECODED)
    except _UNREADABLE:
        yield from ((row_of(raw), raw) for raw in raws)
    else:
        for fields, raw in zip(documents, raws, strict=True):
            yield _row_of(fields, raw), raw


def row_of(raw: bytes) -> Row:
    """Read a document, whatever its `_id` is and whatever is in it; never raises.

    The row's handle is the `_id`: as a mapping where it is a key of the rule, else its type and its
    value as BSON.
    """
    try:
        return _row_of(bson.decode(raw, _DECODED), raw)
    except _UNREADABLE as error:
        reason = MalformedRecord(f"the driver cannot decode it: {type(error).__name__}: {error}")
    handle = _id_of(raw)
    aggregate_id, sequence = _key_of(_key_alone(handle)) or _unknown(handle)
    return Row(aggregate_id, sequence, handle, Unpublishable(_base64(raw), reason, BASE64_BSON))


def moment_of(raw: bytes) -> datetime | None:
    """When a document's event occurred; None if that cannot be read. A projection is enough."""
    try:
        found = bson.decode(raw, _DECODED).get("occurredAt")
        if isinstance(found, datetime):
            return found
        return parse_timestamp(found) if isinstance(found, str) else None
    except _UNREADABLE:
        return None


def is_in_array(raw: bytes) -> bool:
    """Whether a document's time is an array: a query takes that for each of its elements."""
    try:
        return isinstance(bson.decode(raw, _ANY_TEXT).get("occurredAt"), list)
    except _UNREADABLE:
        return False


def filter_of(handles: Iterable[Any]) -> RawBSONDocument:
    """A query for the documents that have one of these as their `_id`, byte for byte."""
    ids = b"".join(
        handle[:1] + str(index).encode() + b"\0" + handle[1:]
        for index, handle in enumerate(map(as_bson, handles))
    )
    return RawBSONDocument(_document(b"\x03" + _ID + _document(b"\x04$in\0" + _document(ids))))


def as_bson(handle: Any) -> bytes:
    """The type and the value of a row's `_id`."""
    return handle if isinstance(handle, bytes) else b"\x03" + bson.encode(handle)


def _row_of(fields: dict[str, Any], raw: bytes) -> Row:
    key = fields["_id"]
    known = _key_of(key)
    if known and len(key) == len(_KEY):
        return Row(*known, key, _content_of(fields, raw))
    handle = _id_of(raw)
    return Row(*(known or _unknown(handle)), handle, _content_of(fields, raw))


def _content_of(fields: dict[str, Any], raw: bytes) -> OutboxRecord | Unpublishable:
    if isinstance(found := fields.get("occurredAt"), datetime):
        fields["occurredAt"] = format_timestamp(found)
    if Code in map(type, fields.values()):
        # JavaScript is a text to Python alone.
        fields = {
            name: value.encode(errors="replace") if isinstance(value, Code) else value
            for name, value in fields.items()
        }
    content = parse(fields, lambda: (_base64(raw), BASE64_BSON))
    is_plain = isinstance(content, Unpublishable) and content.encoding is None
    if is_plain and fields["_id"] == {name: fields.get(name) for name in _KEY}:
        del fields["_id"]  # it says nothing more
        return parse(fields, lambda: (_base64(raw), BASE64_BSON))
    return content


def _key_of(key: object) -> tuple[str, int] | None:
    """Aggregate and sequence by a document's `_id`; None for any other `_id`."""
    if not isinstance(key, dict):
        return None
    aggregate_id, sequence = key.get("aggregateId"), key.get("sequence")
    if (
        isinstance(aggregate_id, str)
        and isinstance(sequence, int)
        and not isinstance(sequence, bool)
        and aggregate_id
        and 1 <= sequence <= MAX_SEQUENCE
    ):
        return aggregate_id, sequence
    return None


def _unknown(handle: bytes) -> tuple[str, int]:
    """A name that no other row has."""
    return f"unknown-{hashlib.sha256(handle).hexdigest()[:32]}", 0


def _split(batch: bytes) -> Iterator[bytes]:
    begin = 0
    while begin < len(batch):
        end = begin + int.from_bytes(batch[begin : begin + _FIRST], "little")
        yield batch[begin:end]
        begin = end


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
