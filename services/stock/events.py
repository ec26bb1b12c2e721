"""What this service publishes, on stock-event-bus."""

from typing import Literal

from pydantic import Field

from contracts.causes import Cause
from contracts.envelope import EventDetail
from contracts.names import EventType, Source
from contracts.outbox import OutboxRecord
from contracts.publishing import outbox_record
from contracts.timestamps import Timestamp
from services.stock.model import EventName, Status, Stock


class StockDetail(EventDetail):
    """The stock after the event."""

    id: str = Field(validation_alias="subscription_id", description="The same as subscriptionId.")
    subscription_id: str = Field(description="The subscription that it is put aside for.")
    stock_id: str = Field(description="The product.")
    stock: int = Field(description="Razors put aside.", ge=0)
    status: Status = Field(description="allocated, and later perhaps deallocated; or rejected.")
    created: Timestamp = Field(description="When it was first recorded.")
    updated: Timestamp = Field(description="When it last changed: with this event.")


class StockAllocated(StockDetail):
    """Twelve months of razors were put aside."""

    event: Literal[EventType.STOCK_ALLOCATED]


class StockRejected(StockDetail):
    """There were too few razors: the subscription cannot go on."""

    event: Literal[EventType.STOCK_REJECTED]
    asked: int = Field(description="Razors that were wanted.", ge=1)
    available: int = Field(description="Razors that there were.", ge=0)


class StockDeallocated(StockDetail):
    """The razors were given back, or will never be put aside."""

    event: Literal[EventType.STOCK_DEALLOCATED]


_DETAILS: dict[EventName, type[StockDetail]] = {
    EventName.ALLOCATED: StockAllocated,
    EventName.REJECTED: StockRejected,
    EventName.DEALLOCATED: StockDeallocated,
}


def record_of(stock: Stock, cause: Cause, *, event_id: str) -> OutboxRecord:
    """The outbox record of the last event of stock; raises EventTooLarge."""
    metadata = cause.metadata(
        event_id=event_id,
        aggregate_id=stock.subscription_id,
        sequence=stock.version,
        occurred_at=stock.updated,
    )
    detail = _DETAILS[stock.event].from_fields_of(stock, metadata=metadata)
    return outbox_record(detail, Source.STOCK)
