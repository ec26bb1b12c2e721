"""Outbox rows whose detail is packed: which are, how they are read, and what is malformed."""

import base64
import json
import zlib
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.outbox import DYNAMODB_JSON, MAX_RECORD_BYTES, MalformedRecord, OutboxRecord
from runtime.outbox.dynamodb_rows import (
    PACKED_DETAIL,
    WRITE_UNIT,
    item_bytes,
    outbox_item,
    row_of,
    to_item,
)
from runtime.outbox.packing import DICTIONARY, packed, unpacked
from runtime.outbox.rows import Unpublishable
from tests.builders import a_record


def detail_of(size: int) -> str:
    """The JSON of an object, of a size in bytes, that packs to nearly nothing."""
    return json.dumps({"text": "x" * (size - len('{"text": ""}'))})


def malformed(content: bytes) -> str:
    """The reason why a row with this packed detail is dead-lettered."""
    item = {name: value for name, value in to_item(a_record().to_row()).items() if name != "detail"}
    found = row_of({**item, PACKED_DETAIL: {"B": content}}).content
    assert isinstance(found, Unpublishable)
    assert isinstance(found.error, MalformedRecord)
    assert found.encoding == DYNAMODB_JSON
    return str(found.error)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_packed_is_unpacked_byte_for_byte(detail: str) -> None:
    """Whatever the text is."""
    assert unpacked(packed(detail)) == detail


def test_the_dictionary_is_the_one_that_rows_were_packed_with() -> None:
    """Its checksum is in each row: with another, rows that wait in an outbox could not be read."""
    assert zlib.adler32(DICTIONARY) == 0x22775C62
    assert unpacked(bytes.fromhex(OF_THE_FIRST_RELEASE)) == '{"event":"SubscriptionCreated"}'


OF_THE_FIRST_RELEASE = "78f922775c62c3efc05a00b5b50b9a"


@pytest.mark.parametrize("as_read", ["boto3", "Lambda"])
def test_a_packed_row_is_read_as_the_record(as_read: str) -> None:
    """boto3 returns bytes, a Lambda's event their Base64."""
    record = a_record(detail=detail_of(2000))
    item = outbox_item(record, pack=True)
    assert "detail" not in item
    content = item[PACKED_DETAIL]["B"]
    if as_read == "Lambda":
        item = {**item, PACKED_DETAIL: {"B": base64.b64encode(content).decode()}}
    row = row_of(item)
    assert row.content == record
    assert row.handle.keys() == {"aggregateId", "sequence"}


def test_a_row_is_packed_only_where_that_saves_a_unit() -> None:
    """Below a KB it costs the same; packed or not, a row has every other attribute."""
    small, large = a_record(), a_record(detail=detail_of(2000))
    assert outbox_item(small, pack=True) == to_item(small.to_row())
    assert outbox_item(large, pack=False) == to_item(large.to_row())
    item = outbox_item(large, pack=True)
    assert item_bytes(item) <= WRITE_UNIT < item_bytes(to_item(large.to_row()))
    assert item.keys() == to_item(large.to_row()).keys() - {"detail"} | {PACKED_DETAIL}


def test_what_packing_makes_no_unit_smaller_stays_as_it_is() -> None:
    """Random Base85 of 2.5 KB, with the rest of its row, takes three units either way."""
    noise = base64.b85encode(Random(1).randbytes(2000)).decode()
    record = a_record(detail=json.dumps({"text": noise}))
    assert outbox_item(record, pack=True) == to_item(record.to_row())


FAULTS: dict[str, tuple[bytes, str]] = {
    "no packing at all": (b"{}", "cannot be unpacked"),
    "cut short": (packed(detail_of(500))[:-3], "cut short"),
    "something behind it": (packed("{}") + b"more", "more behind it"),
    "a bomb": (packed(detail_of(MAX_RECORD_BYTES + 100)), "too large"),
    "no text": (zlib.compress(b"\xff"), "cannot be unpacked"),
}


@pytest.mark.parametrize("fault", [*FAULTS])
def test_what_cannot_be_unpacked_is_malformed(fault: str) -> None:
    """It is dead-lettered as it is stored, as any other row that is none."""
    content, reason = FAULTS[fault]
    assert reason in malformed(content)


def test_what_is_no_binary_is_malformed() -> None:
    """A packed detail that is a text, as another writer's might be."""
    item: dict[str, Any] = to_item(a_record().to_row())
    del item["detail"]
    for value in ({"S": "e30="}, {"N": "1"}, {"B": "no Base64!"}):
        found = row_of({**item, PACKED_DETAIL: value}).content
        assert isinstance(found, Unpublishable), value


def test_a_detail_in_clear_comes_first() -> None:
    """`packedDetail` beside it is a field that is not ours, and ignored."""
    item = to_item(a_record().to_row()) | {PACKED_DETAIL: {"S": "theirs"}}
    assert isinstance(row_of(item).content, OutboxRecord)
