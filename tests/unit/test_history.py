"""A row keeps what happened to it; of an earlier release's row that is inferred."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from runtime.outbox.history import Past, read_history, write_history
from services.payment.store import MongoStore
from services.stock.store import DynamoStore as StockStore
from services.subscription.store import DynamoStore as SubscriptionStore
from tests.builders import START

LATER = START + timedelta(seconds=5)
CREATED, CANCELLED = (1, "Created", START), (2, "Cancelled", LATER)


@pytest.mark.parametrize("events", [[CREATED], [CREATED, CANCELLED], [CANCELLED]])
def test_a_history_comes_back_as_it_was_written(events: list[Past]) -> None:
    """Sequence, type and time of each, whatever the row says beside."""
    row = {"events": write_history(events), "version": 7, "event": "Other"}
    assert read_history(row, first="?", created=START, updated=START) == (*events,)


@pytest.mark.parametrize(
    ("version", "updated", "expected"),
    [
        (1, START, [(1, "Last", START)]),
        (2, LATER, [(1, "Created", START), (2, "Last", LATER)]),
        (2, START, [(2, "Last", START)]),
    ],
)
def test_a_row_without_one_has_its_first_and_its_last_event(
    version: int, updated: Any, expected: list[Past]
) -> None:
    """One that was created and last changed at the same moment began with its end."""
    row = {"version": version, "event": "Last"}
    assert read_history(row, first="Created", created=START, updated=updated) == (*expected,)


OLD_TIMES = {"created": "2026-11-23T09:30:00.000Z", "updated": "2026-11-23T09:30:05.000Z"}
OLD_SUBSCRIPTION = {
    "subscriptionId": "one",
    "accountNumber": "12345678",
    "accountName": "A Lovelace",
    "accountSortCode": "12-34-56",
    "customerFirstName": "Ada",
    "customerSurname": "Lovelace",
    "quantity": 2,
    "status": "cancelled",
    "cancelledReason": "payment cancelled",
    "requestDigest": "digest",
    "version": 2,
    "event": "SubscriptionCancelled",
    **OLD_TIMES,
}
OLD_STOCK = {
    "subscriptionId": "one",
    "stockId": "razor-123",
    "stock": 0,
    "status": "deallocated",
    "version": 2,
    "event": "StockDeallocated",
    **OLD_TIMES,
}
OLD_PAYMENT = {
    "_id": "one",
    "accountNumber": "12345678",
    "status": "cancelled",
    "version": 2,
    "event": "PaymentCancelled",
    "created": START.replace(tzinfo=None),
    "updated": LATER.replace(tzinfo=None),
}


@pytest.mark.parametrize(
    ("store", "row"),
    [(SubscriptionStore, OLD_SUBSCRIPTION), (StockStore, OLD_STOCK), (MongoStore, OLD_PAYMENT)],
    ids=["subscription", "stock", "payment"],
)
def test_a_store_reads_the_rows_of_the_release_before(store: Any, row: Mapping[str, Any]) -> None:
    """Two events each, at its two times; the bank ended what does not say who did."""
    found = store.from_row(None, row)
    assert [(each.sequence, each.at) for each in found.events] == [(1, START), (2, LATER)]
    assert (found.version, found.event, found.updated) == (2, row["event"], LATER)
    assert getattr(found, "cancelled_by", "bank") == "bank"
