"""Allocating and giving back, without queue or database."""

import json

import pytest

from services.stock.handlers import Handlers
from services.stock.model import Status, StockNotFound
from tests.builders import a_cause, a_metadata, clock
from tests.fakes import MemoryStock


@pytest.fixture
def store() -> MemoryStock:
    return MemoryStock()


@pytest.fixture
def handlers(store: MemoryStock) -> Handlers:
    return Handlers(store, now=clock(), new_id=lambda: "event-1")


def test_allocating_commits_the_stock_and_its_event(handlers: Handlers, store: MemoryStock) -> None:
    """The event tells how much was put aside, and what led to it."""
    handlers.allocate("one", 2, a_cause())
    assert handlers.get("one").status is Status.ALLOCATED
    (record,) = store.outbox
    assert json.loads(record.detail) == {
        "event": "StockAllocated",
        "id": "one",
        "subscriptionId": "one",
        "stockId": "razor-123",
        "stock": 24,
        "status": "allocated",
        "created": "2026-11-23T09:30:00.000Z",
        "updated": "2026-11-23T09:30:00.000Z",
        "metadata": a_metadata(eventId="event-1", aggregateId="one"),
    }


def test_giving_back_commits_the_end_and_its_event(handlers: Handlers, store: MemoryStock) -> None:
    """Nothing is left put aside, and the event is the second of its aggregate."""
    handlers.allocate("one", 2, a_cause())
    handlers.deallocate("one", a_cause())
    detail = json.loads(store.outbox[-1].detail)
    assert (detail["event"], detail["stock"], detail["status"]) == (
        "StockDeallocated",
        0,
        "deallocated",
    )
    assert detail["metadata"]["sequence"] == 2
    assert (detail["created"], detail["updated"]) == (
        "2026-11-23T09:30:00.000Z",
        "2026-11-23T09:30:01.000Z",
    )


def test_a_creation_that_comes_late_allocates_nothing(
    handlers: Handlers, store: MemoryStock
) -> None:
    """The cancellation overtook it: the stock was recorded as given back, and stays so."""
    handlers.deallocate("one", a_cause())
    assert handlers.allocate("one", 2, a_cause()).stock == 0
    assert [record.event_type for record in store.outbox] == ["StockDeallocated"]


def test_what_does_not_exist_is_not_found(handlers: Handlers) -> None:
    """Reading makes nothing up."""
    with pytest.raises(StockNotFound, match="nowhere"):
        handlers.get("nowhere")
