"""Routes and schemas of the stock service."""

from typing import Annotated, Self

from fastapi import APIRouter, Path, Query, Security
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from contracts.envelope import WireModel
from contracts.timestamps import Timestamp
from runtime import cursors
from runtime.http.auth import require
from runtime.http.etags import TaggedRoute
from runtime.http.pagination import DEFAULT_LIMIT, Cursor, Limit, PageView, page_example
from runtime.http.problem_kinds import INVALID, NOT_FOUND, Kind
from runtime.http.problems import ON_LIST, ON_READ
from runtime.http.threads import in_thread
from runtime.outbox.commit import AggregateStore
from services.stock import inventory_api
from services.stock.handlers import Handlers
from services.stock.inventory_handlers import InventoryHandlers
from services.stock.model import DomainError, Status, Stock, StockNotFound

KINDS: dict[type[Exception], Kind] = {
    **inventory_api.KINDS,
    StockNotFound: NOT_FOUND,
    DomainError: INVALID,
}

_READS = Security(require, scopes=["stock:read"])

# The id of the subscription in the subscription service's examples.
_ID = "280d2be1-0a4c-5fe9-9a74-da3b91a9c428"


_EXAMPLE: JsonDict = {
    "id": _ID,
    "subscriptionId": _ID,
    "stockId": "razor-123",
    "stock": 24,
    "status": "allocated",
    "created": "2026-11-23T09:30:00.000Z",
    "updated": "2026-11-23T09:30:00.000Z",
    "version": 1,
}


class StockView(WireModel):
    """The current stock of a subscription."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str = Field(validation_alias="subscription_id", description="The same as subscriptionId.")
    subscription_id: str = Field(description="The subscription that it is put aside for.")
    stock_id: str = Field(description="The product.")
    stock: int = Field(description="Razors put aside: 12 months' worth, 0 once given back.")
    status: Status = Field(description="allocated, and later perhaps deallocated; or rejected.")
    created: Timestamp = Field(description="When it was first recorded.")
    updated: Timestamp = Field(description="When it last changed.")
    version: int = Field(description="1 when allocated or rejected, 2 when deallocated.")
    asked: int | None = Field(
        default=None, description="Razors that were wanted, where there were too few; else null."
    )
    available: int | None = Field(
        default=None, description="Razors that there were then; else null."
    )

    @classmethod
    def of(cls, stock: Stock) -> Self:
        return cls.from_fields_of(stock)


class StockPage(PageView[StockView]):
    """Some stock, and where to go on."""

    model_config = page_example(_EXAMPLE)


def routes(
    handlers: Handlers, store: AggregateStore[Stock], inventory: InventoryHandlers
) -> APIRouter:
    router = APIRouter(prefix="/stock", tags=["stock"], route_class=TaggedRoute)

    @router.get(
        "/{subscription_id}",
        summary="Read the stock of one subscription",
        description="Reads what was last committed.",
        response_description="The stock.",
        responses=ON_READ,
        dependencies=[_READS],
    )
    async def get(
        subscription_id: Annotated[
            str,
            Path(
                description="The subscription's id.",
                max_length=128,
                examples=[_ID],
            ),
        ],
    ) -> StockView:
        return StockView.of(await in_thread(handlers.get, subscription_id))

    @router.get(
        "",
        summary="List stock",
        description=(
            "Lists the stock with one status, oldest first; without status all, in no particular "
            "order. A change shows here up to a second after it was made."
        ),
        response_description="A page of stock.",
        responses=ON_LIST,
        dependencies=[_READS],
    )
    def page(
        status: Annotated[
            Status | None, Query(description="Only stock with this status.", examples=["allocated"])
        ] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> StockPage:
        scope = f"stock?status={status}"
        found = store.page(where=status, limit=limit, after=cursors.decode(scope, cursor))
        return StockPage.of(found, StockView.of, scope)

    router.routes.extend(inventory_api.routes(inventory).routes)
    return router
