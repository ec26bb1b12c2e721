"""Routes and schemas of the inventory: what is on hand is set, and shown."""

import re
from typing import Annotated, Self

from fastapi import APIRouter, Header, Path, Response, Security
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from contracts.envelope import ReadModel, WireModel
from runtime.http.auth import require
from runtime.http.problem_kinds import INVALID, NOT_FOUND, PRECONDITION_FAILED, RESERVED, Kind
from runtime.http.problems import ON_READ, ON_REPLACE
from runtime.http.threads import in_thread
from services.stock.inventory import (
    MOST_ON_HAND,
    Inventory,
    InventoryNotSet,
    InventoryReserved,
    ItemNotFound,
    OnHandChanged,
)
from services.stock.inventory_handlers import Expects, InventoryHandlers
from services.stock.model import STOCK_ID, DomainError


class MalformedIfMatch(DomainError):
    def __init__(self) -> None:
        super().__init__(
            "If-Match: send the ETag of a GET, in its quotes, several with commas between, or *"
        )


KINDS: dict[type[Exception], Kind] = {
    ItemNotFound: NOT_FOUND,
    InventoryNotSet: NOT_FOUND,
    InventoryReserved: RESERVED,
    OnHandChanged: PRECONDITION_FAILED,
    MalformedIfMatch: INVALID,
}

_READS = Security(require, scopes=["stock:read"])
_WRITES = Security(require, scopes=["stock:write"])

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"\s*{_TAG}(?:\s*,\s*{_TAG})*\s*")

_Item = Annotated[str, Path(description="The product's id.", max_length=128, examples=[STOCK_ID])]
_IfMatch = Annotated[
    str | None,
    Header(
        description="An ETag: nothing is changed unless it is still that of what is on hand.",
        max_length=1024,
        examples=['"1200"'],
    ),
]


class OnHand(ReadModel):
    """What is on hand in total."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"onHand": 1200}]})

    on_hand: int = Field(
        ge=0, le=MOST_ON_HAND, strict=True, description="Razors, those that are reserved included."
    )


_EXAMPLE: JsonDict = {"item": STOCK_ID, "onHand": 1200, "reserved": 24, "available": 1176}


class InventoryView(WireModel):
    """What there is of an item."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    item: str = Field(description="The product.")
    on_hand: int = Field(description="Razors that there are.")
    reserved: int = Field(description="Razors of them that are put aside for subscriptions.")
    available: int = Field(description="Razors that are left: on hand less reserved.")

    @classmethod
    def of(cls, inventory: Inventory) -> Self:
        return cls(
            item=inventory.item,
            on_hand=inventory.on_hand,
            reserved=inventory.reserved,
            available=inventory.available,
        )


def etag_of(inventory: Inventory) -> str:
    """Over what is on hand alone: an allocation between a GET and a PUT does not refuse the PUT."""
    return f'"{inventory.on_hand}"'


def expectation(if_match: str | None) -> Expects:
    """What an If-Match header allows (RFC 9110, 13.1.1). Raises MalformedIfMatch."""
    if if_match is None:
        return lambda _: True
    if if_match.strip() == "*":
        return lambda found: found.is_set
    if not _TAGS.fullmatch(if_match):
        raise MalformedIfMatch
    tags = re.findall(_TAG, if_match)  # a weak one is like no other
    return lambda found: found.is_set and etag_of(found) in tags


def routes(handlers: InventoryHandlers) -> APIRouter:
    router = APIRouter(prefix="/inventory", tags=["inventory"])

    @router.get(
        "/{item}",
        summary="Read the inventory of an item",
        description=(
            "Reads all of it in one transaction. Where none is set it is not found: nothing limits "
            "allocations then."
        ),
        response_description="What there is; ETag is over what is on hand alone.",
        responses=ON_READ,
        dependencies=[_READS],
    )
    async def get(item: _Item, response: Response) -> InventoryView:
        found = await in_thread(handlers.get, item)
        response.headers["ETag"] = etag_of(found)
        return InventoryView.of(found)

    @router.put(
        "/{item}",
        summary="Set what is on hand of an item",
        description=(
            "Sets the total, in one transaction; from then on allocations that find too little are "
            "rejected. What is reserved stays reserved, so the total cannot be less. The first PUT "
            "answers after a second: by then each process knows of the limit."
        ),
        response_description="What there is.",
        responses={
            **ON_REPLACE,
            201: {"description": "What there is: none was set before.", "model": InventoryView},
        },
        dependencies=[_WRITES],
    )
    async def put(
        item: _Item, body: OnHand, response: Response, if_match: _IfMatch = None
    ) -> InventoryView:
        expects = expectation(if_match)
        found, is_first = await in_thread(handlers.put, item, body.on_hand, expects)
        response.status_code = 201 if is_first else 200
        response.headers["ETag"] = etag_of(found)
        return InventoryView.of(found)

    @router.delete(
        "/{item}",
        status_code=204,
        summary="Delete the inventory of an item",
        description=(
            "Nothing limits allocations from then on. Refused while anything is reserved; where "
            "none is set there is nothing to do."
        ),
        response_description="None is set.",
        responses=ON_REPLACE,
        dependencies=[_WRITES],
    )
    async def delete(item: _Item, if_match: _IfMatch = None) -> None:
        await in_thread(handlers.delete, item, expectation(if_match))

    return router
