"""Cursors: what one list and filter gave out comes back whole, and nothing else does."""

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.cursors import InvalidCursor, decode, encode

positions = st.dictionaries(st.text(max_size=20), st.text(max_size=50), max_size=4)


@given(scope=st.text(), position=positions)
def test_a_cursor_comes_back_as_the_position(scope: str, position: dict[str, str]) -> None:
    """Whatever the keys hold, and in characters that no URL has to escape."""
    cursor = encode(scope, position)
    assert cursor is not None
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert decode(scope, cursor) == position


@given(scope=st.text(), other=st.text(), position=positions)
def test_a_cursor_of_another_scope_is_refused(
    scope: str, other: str, position: dict[str, str]
) -> None:
    """One list's cursor, or one filter's, is no position in another."""
    cursor = encode(scope, position)
    if scope == other:
        return
    with pytest.raises(InvalidCursor):
        decode(other, cursor)


def test_no_position_is_no_cursor() -> None:
    """The end of a list, and its start."""
    assert encode("list", None) is None
    assert decode("list", None) is None


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_garbage_is_refused(cursor: str) -> None:
    """Any text at all: a position, or InvalidCursor, and no other error."""
    with pytest.raises(InvalidCursor):
        decode("list", cursor)


@pytest.mark.parametrize(
    "text",
    ["null", "3", "[]", "{}", '["a"]', '["a", 1]', '["a", {"b": {}}]', "[" * 1500, "1" * 5000],
)
def test_json_that_is_no_cursor_is_refused(text: str) -> None:
    """Well-formed, deep or huge, but not ours."""
    with pytest.raises(InvalidCursor):
        decode("list", base64.urlsafe_b64encode(text.encode()).decode())


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\udc00\ud800"])
def test_what_is_no_text_is_refused(text: str) -> None:
    """An unpaired surrogate has no UTF-8, as a name and as a value: no database takes it."""
    for position in ({"_id": text}, {text: "a"}, {"_id": "a", text: text}):
        with pytest.raises(InvalidCursor):
            decode("list", encode("list", position))


@pytest.mark.parametrize(
    "written",
    [
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.replace(":", ": ").encode(),
        lambda text: text.replace('{"a":', '{"a":"0","a":').encode(),
        lambda text: text.replace('"a":', '"\\u0061":').encode(),
    ],
    ids=["UTF-16", "byte order mark", "spaces", "a name twice", "escaped"],
)
def test_a_position_that_is_written_in_another_way_is_refused(
    written: Callable[[str], bytes],
) -> None:
    """Its digest would be right; but `encode` writes one form."""
    cursor = encode("list", {"a": "1"}) or ""
    text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    assert decode("list", cursor) == {"a": "1"}
    with pytest.raises(InvalidCursor):
        decode("list", base64.urlsafe_b64encode(written(text)).decode().rstrip("="))


@given(position=positions.filter(bool), data=st.data())
def test_a_cursor_that_was_changed_is_refused(
    position: dict[str, str], data: st.DataObject
) -> None:
    """Another position under the same digest is nothing we gave out."""
    other = data.draw(positions.filter(lambda drawn: drawn != position))
    raw = base64.urlsafe_b64decode((cursor := encode("list", position) or "") + "=" * 3)
    digest = raw[:19]
    forged = encode("list", other) or ""
    tail = base64.urlsafe_b64decode(forged + "=" * 3)[19:]
    assert raw[19:] != tail
    with pytest.raises(InvalidCursor):
        decode("list", base64.urlsafe_b64encode(digest + tail).decode())
    assert decode("list", cursor) == position
