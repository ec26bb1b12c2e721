"""Lists over HTTP: the parameters and the shape of every list."""

from collections.abc import Callable
from typing import Annotated, Generic, Self, TypeVar

from fastapi import Query
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from contracts.envelope import WireModel
from runtime import cursors
from runtime.cursors import Page

A = TypeVar("A")
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

    @classmethod
    def of(cls, page: Page[A], view: Callable[[A], V], scope: str) -> Self:
        """Show a page of the list that `scope` names, filter included."""
        return cls(
            items=[view(each) for each in page.items],
            next_cursor=cursors.encode(scope, page.next_position),
        )


def page_example(item: JsonDict) -> ConfigDict:
    """The configuration of a list's model: an example of it, with one item."""
    return ConfigDict(json_schema_extra={"examples": [{"items": [item], "nextCursor": "WyI1Zj"}]})
