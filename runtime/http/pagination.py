"""Lists over HTTP: the parameters and the shape that every list of ours has."""

from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import Field

from contracts.envelope import WireModel

V = TypeVar("V")

MAX_LIMIT = 100

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="At most this many.", examples=[20])]
DEFAULT_LIMIT = 20

Cursor = Annotated[str | None, Query(max_length=2048, description="nextCursor of the page before.")]


class PageView(WireModel, Generic[V]):
    """Some of a list, and where to go on."""

    items: list[V] = Field(description="The page; it may be empty.")
    next_cursor: str | None = Field(
        default=None, description="Send it as `cursor` for the next page; null after the last."
    )
