"""An item of an outbox table as a row, whatever wrote it, and rows as items."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import import_module
from math import ceil
from typing import Any

from contracts.outbox import DYNAMODB_JSON, MAX_SEQUENCE, MalformedRecord, OutboxRecord
from contracts.timestamps import parse_timestamp
from runtime.outbox.packing import packed, unpacked
from runtime.outbox.rows import Row, Unpublishable, parse

PACKED_DETAIL = "packedDetail"
"""The attribute that a row may have in place of `detail`: binary, what runtime.outbox.packing makes
of it."""

WRITE_UNIT = 1024
"""Bytes that one write unit writes. https://aws.amazon.com/dynamodb/pricing/on-demand/"""


def outbox_item(record: OutboxRecord, *, pack: bool) -> dict[str, Any]:
    """Write an outbox record, with its detail packed if it may be and that saves a write unit."""
    item = to_item(record.to_row())
    if not pack or (size := item_bytes(item)) <= WRITE_UNIT:
        return item
    without = {name: value for name, value in item.items() if name != "detail"}
    smaller = {**without, PACKED_DETAIL: {"B": packed(record.detail)}}
    return smaller if ceil(item_bytes(smaller) / WRITE_UNIT) < ceil(size / WRITE_UNIT) else item


def item_bytes(item: Mapping[str, Any]) -> int:
    """Bytes of an item as DynamoDB counts: names too, a number by its digits.

    A list or a map takes three bytes, and one for each thing in it.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, held),) = value.items()
    match kind:
        case "S":
            return len(held.encode())
        case "B":
            return len(held)
        case "N":
            return (len(held) + 1) // 2 + 1
        case "L":
            return 3 + sum(1 + _value_bytes(each) for each in held)
        case _:
            return 3 + len(held) + item_bytes(held)


def to_item(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Write a row as DynamoDB's attribute values; fields that are None are left out."""
    return {name: _attribute(value) for name, value in fields.items() if value is not None}


def _attribute(value: Any) -> Mapping[str, object]:
    """Write one value: texts and whole numbers, of which rows are made, without boto3's serializer.

    That one tries every type in turn: 33 µs for a row and its record, where this takes 6 µs.
    """
    if isinstance(value, str):
        return {"S": value}
    if type(value) is int:  # a bool is another type
        return {"N": str(value)}
    if isinstance(value, list):
        return {"L": [_attribute(each) for each in value]}
    if isinstance(value, dict):
        return {"M": {name: _attribute(each) for name, each in value.items()}}
    written: Mapping[str, object] = _boto3s("TypeSerializer").serialize(value)
    return written


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Read a row back; numbers without a fraction come as int."""
    return {name: _read(value) for name, value in item.items()}


def _read(value: Any) -> Any:
    # Nearly all are texts and natural numbers, for which boto3 takes three to six times as long.
    if (text := value.get("S")) is not None:
        return text
    if (digits := value.get("N")) is not None and digits.isdecimal():
        return int(digits)
    if (values := value.get("L")) is not None:
        return [_read(each) for each in values]
    if (fields := value.get("M")) is not None:
        return from_item(fields)
    found = _boto3s("TypeDeserializer").deserialize(value)
    is_whole = isinstance(found, Decimal) and found == found.to_integral_value()
    return int(found) if is_whole else found


@cache
def _boto3s(name: str) -> Any:
    """One of boto3's own, for what is not in our rows: to import it takes 30 ms and 3 MB."""
    return getattr(import_module("boto3.dynamodb.types"), name)()


def row_of(item: Mapping[str, Any]) -> Row:
    """Read an item of an outbox table, or the NewImage of its insertion, whatever is in it."""
    aggregate_id, sequence = item["aggregateId"]["S"], _whole(item["sequence"]["N"])
    try:
        content = parse(from_item(_with_detail(item)), lambda: _as_stored(item))
    except (ArithmeticError, AttributeError, RecursionError, TypeError, ValueError) as error:
        reason = MalformedRecord(f"it cannot be read: {type(error).__name__}: {error}")
        body, encoding = _as_stored(item)
        content = Unpublishable(body, reason, encoding)
    return Row(
        # The key names one row: what is no whole number cannot be in the aggregate's order.
        aggregate_id=aggregate_id if sequence else f"{aggregate_id}#{item['sequence']['N']}",
        sequence=sequence or 0,
        handle={"aggregateId": item["aggregateId"], "sequence": item["sequence"]},
        content=content,
    )


def _with_detail(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Unpack a detail that is packed; raises MalformedRecord, which is a ValueError.

    boto3 returns its bytes, and Lambda their Base64.
    """
    if PACKED_DETAIL not in item or "detail" in item:
        return item
    held = item[PACKED_DETAIL].get("B")
    content = held if isinstance(held, bytes) else base64.b64decode(held, validate=True)
    others = {name: value for name, value in item.items() if name != PACKED_DETAIL}
    return {**others, "detail": {"S": unpacked(content)}}


def _as_stored(item: Mapping[str, Any]) -> tuple[str, str]:
    """The item in DynamoDB's JSON: each value with its type, bytes in base64."""
    text = json.dumps(item, ensure_ascii=False, default=_base64)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(item, default=_base64)
    return text, DYNAMODB_JSON


def _base64(value: object) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _whole(number: str) -> int | None:
    """A sequence, if it is one: a whole number from 1 on that a record may have."""
    if number.isdecimal():
        found = int(number)
    else:
        try:
            decimal = Decimal(number)
            found = int(decimal) if decimal == decimal.to_integral_value() else 0
        except (InvalidOperation, OverflowError):
            return None
    return found if 1 <= found <= MAX_SEQUENCE else None


def moment_of(item: Mapping[str, Any]) -> datetime | None:
    """When an item's event occurred; None if that cannot be read. A projection is enough."""
    try:
        return parse_timestamp(item["occurredAt"]["S"])
    except (KeyError, ValueError):
        return None
