"""Rows as migrations, scripts and other languages' drivers write them, and how old each is.

A value is what is in place of a record's field: for MongoDB as the driver encodes it, or bytes
that are no UTF-8; for DynamoDB an attribute value.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import bson
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument
from hypothesis import strategies as st

from contracts.timestamps import format_timestamp
from runtime.outbox.dynamodb_rows import to_item
from tests.relay_world import a_keyed_record


@dataclass(frozen=True)
class NotUtf8:
    """A text of four bytes that are no UTF-8."""


ABSENT = "no such field"


@dataclass(frozen=True)
class Odd:
    """A field and its value. `occurred` is the row's time, None where it cannot be read.

    `is_malformed` says whether the row is set aside.
    """

    field: str
    value: Any
    occurred: datetime | None
    is_malformed: bool = True

    def __repr__(self) -> str:
        return f"{self.field}={self.value!r}"


TEXTS = ("aggregateId", "eventId", "eventType", "source", "detail", "correlationId", "traceparent")

AGES = (
    timedelta(minutes=2),
    timedelta(hours=30),
    timedelta(days=400),
    timedelta(minutes=-30),
    timedelta(days=-2),
    timedelta(days=-4000),
)
"""How long ago rows occurred; some are yet to come, as by a clock that is ahead."""

NO_TIMES = (
    "",
    "9999",
    "tomorrow",
    "\u0662\u0660\u0662\u0666-11-29T07:33:45.000Z",
    "0001-01-01T00:00:00.000+01:00",
    "9999-12-31T23:59:59.999-01:00",
    "9999-02-30T00:00:00.000Z",
    "2027-13-01T00:00:00.000Z",
    "2026-11-29T07:33:45.000",
    "2026-11-29T23:59:60.000Z",
    "0000-01-01T00:00:00.000Z",
    "\U0010ffff",
)


def an_hour_before(now: datetime) -> datetime:
    """When a row occurred whose oddity is in another field than its time."""
    return (now - timedelta(hours=1)).replace(microsecond=0)


def forms_of(moment: datetime) -> list[str]:
    """Texts that name a whole second: the wire's own form, and others of ISO 8601."""
    year, week, day = moment.isocalendar()
    utc = moment.astimezone(UTC)
    east = (utc + timedelta(hours=5, minutes=30)).replace(tzinfo=None)
    west = (utc - timedelta(hours=12)).replace(tzinfo=None)
    return [
        format_timestamp(moment),
        f"{utc:%Y%m%dT%H%M%SZ}",
        f"{utc:%Y%m%dT%H%M%S},000Z",
        f"{utc:%Y%m%dT%H%M%S}.0000000Z",
        f"{year:04}-W{week:02}-{day}T{utc:%H:%M:%S}Z",
        f"{year:04}-W{week:02}-{day}T{utc:%H:%M:%S}.000Z",
        f"{year:04}W{week:02}{day}T{utc:%H%M%S}.000000Z",
        f"{utc:%Y-%m-%dT%H:%M:%S}Z",
        f"{utc:%Y-%m-%dT%H%M%S}.00000Z",
        f"{utc:%Y-%m-%dt%H:%M:%S}.000z",
        f"{utc:%Y-%m-%d %H:%M:%S}.000Z",
        f"{utc:%Y-%m-%dT%H:%M:%S},000Z",
        f"{utc:%Y-%m-%dT%H:%M:%S}.000000000+00:00",
        f"{east:%Y-%m-%dT%H:%M:%S}+05:30",
        f"{east:%Y-%m-%dT%H:%M:%S}+0530",
        f"{west:%Y-%m-%dT%H:%M:%S}.00-12",
        f"{west:%Y-%m-%dT%H:%M:%S}.0-12",
    ]


def times(now: datetime) -> list[Odd]:
    """Every form of every age, and texts that are no times."""
    moments = [(now - age).replace(microsecond=0) for age in AGES]
    good = [
        Odd("occurredAt", text, moment, is_malformed=False)
        for moment in moments
        for text in forms_of(moment)
    ]
    return good + [Odd("occurredAt", text, None) for text in (*NO_TIMES, ABSENT)]


def bson_values(now: datetime) -> list[Odd]:
    """What a BSON document can hold in place of a text, of a time and of a number."""
    then = an_hour_before(now)
    wire = format_timestamp(then)
    others: tuple[Any, ...] = (
        NotUtf8(),
        None,
        True,
        5,
        1.5,
        float("nan"),
        [],
        [5],
        ["x"],
        [wire],
        [[wire]],
        [then],
        {},
        {"$date": wire},
        b"bytes",
        bson.ObjectId(b"twelve bytes"),
        bson.Decimal128("1.5"),
        bson.Regex("x"),
        bson.Timestamp(1, 1),
        bson.Code(wire),
        bson.Code(wire, {"a": 1}),
        bson.Int64(5),
        bson.MinKey(),
        bson.MaxKey(),
        bson.DBRef("a", 1),
        DatetimeMS(-(2**63)),
        DatetimeMS(2**63 - 1),
        DatetimeMS(253402300800000),
    )
    found = [Odd("occurredAt", value, None) for value in others]
    found += [
        Odd("occurredAt", moment, moment, is_malformed=False)
        for moment in ((now - age).replace(microsecond=0) for age in AGES)
    ]
    # A trace may be null.
    found += [
        Odd(field, value, None if isinstance(value, NotUtf8) else then)
        for field in TEXTS
        for value in others
        if not (field == "traceparent" and value is None)
    ]
    numbers = (*others[:4], 0, -1, 1.0, 2**63 - 1, "1", bson.Decimal128("1"), bson.MaxKey())
    found += [
        Odd("sequence", value, then, is_malformed=value not in (5, 2**63 - 1) or value is True)
        for value in numbers
        if not isinstance(value, NotUtf8)
    ]
    return found


def dynamodb_values(now: datetime) -> list[Odd]:
    """What a DynamoDB item can hold in place of a text and of a time."""
    then = an_hour_before(now)
    wire = format_timestamp(then)
    others: tuple[dict[str, Any], ...] = (
        {"N": "5"},
        {"N": "1.5"},
        {"N": "1E+100"},
        {"NULL": True},
        {"BOOL": True},
        {"B": b"\xff\xfe"},
        {"BS": [b"\xff"]},
        {"SS": [wire]},
        {"NS": ["1", "2"]},
        {"L": []},
        {"L": [{"S": wire}]},
        {"M": {}},
        {"M": {"deep": {"B": b"x"}}},
    )
    return [Odd("occurredAt", value, None) for value in others] + [
        Odd(field, value, then)
        for field in TEXTS[1:]
        for value in others
        if not (field == "traceparent" and "NULL" in value)
    ]


def some(odd: list[Odd]) -> st.SearchStrategy[list[Odd]]:
    """A page or two of them, in any order."""
    return st.lists(st.sampled_from(odd), min_size=20, max_size=60)


def document_of(aggregate_id: str, odd: Odd, now: datetime) -> dict[str, Any]:
    """A record of an hour ago in which one field is odd."""
    then = an_hour_before(now)
    document: dict[str, Any] = dict(a_keyed_record(aggregate_id, 1, occurred_at=then).to_document())
    if odd.value == ABSENT:
        del document[odd.field]
    else:
        document[odd.field] = odd.value
    return document


def as_bson(aggregate_id: str, odd: Odd, now: datetime) -> RawBSONDocument:
    """The document's bytes, for a driver that sends them as they are."""
    document = document_of(aggregate_id, odd, now)
    is_text = isinstance(odd.value, NotUtf8)
    if is_text:
        document[odd.field] = "\0\1\2\3"
    key = {"aggregateId": aggregate_id, "sequence": 1}
    raw = bson.encode({"_id": key, **document})
    return RawBSONDocument(raw.replace(b"\0\1\2\3", b"\xff\xfe\xc0\xaf") if is_text else raw)


def as_item(aggregate_id: str, odd: Odd, now: datetime) -> dict[str, Any]:
    """The item's attribute values."""
    document = document_of(aggregate_id, odd, now)
    if not isinstance(odd.value, dict):
        return to_item(document)
    del document[odd.field]
    return {**to_item(document), odd.field: odd.value}


NUMBERS = (Decimal(-1), Decimal(0), Decimal("1.5"), Decimal(10) ** 37, Decimal("1E-5"))
"""Sort keys that a DynamoDB table takes and no record has."""
