"""Opaque cursors: where a page ended, tied to the list and the filter that it was a page of."""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class InvalidCursor(ValueError):
    """A cursor that this list, with this filter, never gave out."""

    def __init__(self) -> None:
        super().__init__(
            "cursor: not one that this list gave for this filter; "
            "leave it out to start again at the first page"
        )


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of a list's items, and the position to go on from; None at the end."""

    items: Sequence[T]
    next_position: Mapping[str, str] | None


def encode(scope: str, position: Mapping[str, str] | None) -> str | None:
    """Make the cursor for a position in the list that `scope` names, filter included."""
    if position is None:
        return None
    text = json.dumps([_digest(scope, position), dict(position)], separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(scope: str, cursor: str | None) -> dict[str, str] | None:
    """Read a cursor back; raises InvalidCursor unless `encode` made it for the same scope.

    The digest keeps honest callers from mixing cursors up. It is no secret and guards nothing:
    a forged cursor reads what the list would have shown anyway.
    """
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        _, position = json.loads(urlsafe_b64decode(padded.encode("ascii")))
        found = {str(name): str(value) for name, value in position.items()}
        "".join([*found, *found.values()]).encode()  # a database takes no unpaired surrogate
        # As `encode` writes it and in no other way: each name once, in UTF-8, each value a text.
        if cursor == encode(scope, found):
            return found
    except (ValueError, TypeError, AttributeError, RecursionError):
        pass
    raise InvalidCursor


def _digest(scope: str, position: Mapping[str, str]) -> str:
    text = json.dumps([scope, sorted(position.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
