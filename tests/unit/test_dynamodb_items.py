"""Rows as DynamoDB's attribute values: ours are those that boto3 writes and reads."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from runtime.outbox.dynamodb_rows import from_item, to_item

VALUES = st.recursive(
    st.text() | st.integers(-(10**37), 10**37) | st.booleans() | st.just(None),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(min_size=1), VALUES, max_size=4))
def test_rows_are_written_as_boto3_writes_them(fields: dict[str, Any]) -> None:
    """Texts and numbers take a shorter way to the same."""
    serialize = TypeSerializer().serialize
    assert to_item(fields) == {
        name: serialize(value) for name, value in fields.items() if value is not None
    }


@given(st.dictionaries(st.text(min_size=1), st.text() | st.integers(-(10**37), 10**37)))
def test_rows_come_back_as_they_were_written(fields: dict[str, Any]) -> None:
    """Numbers without a fraction come as int."""
    back = from_item(to_item(fields))
    assert back == fields
    assert {name: type(value) for name, value in back.items()} == {
        name: type(value) for name, value in fields.items()
    }


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ({"N": "1.5"}, Decimal("1.5")),
        ({"N": "2.0"}, 2),
        ({"N": "-3"}, -3),
        ({"N": "1E+2"}, 100),
        ({"S": ""}, ""),
        ({"BOOL": True}, True),
        ({"NULL": True}, None),
        ({"L": [{"S": "a"}]}, ["a"]),
    ],
    ids=str,
)
def test_every_kind_of_value_is_read(stored: dict[str, Any], read: object) -> None:
    """What is neither a text nor a natural number goes to boto3."""
    found = from_item({"field": stored})["field"]
    assert (found, type(found)) == (read, type(read))
