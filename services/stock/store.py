"""Keeps stock: a row and its outbox record in one DynamoDB transaction."""

from collections.abc import Mapping
from typing import Any, Protocol

from contracts.outbox import OutboxRecord
from contracts.timestamps import format_timestamp, parse_timestamp
from runtime.cursors import Page
from runtime.outbox.commit import AggregateStore
from runtime.outbox.dynamodb import VersionedTable, Where
from services.stock.model import LastEvent, Status, Stock

INDEX = "by-status"


class Store(AggregateStore[Stock], Protocol):
    def page(
        self, *, status: Status | None, limit: int, after: Mapping[str, str] | None
    ) -> Page[Stock]:
        """Read a page: of the stock with one status, oldest first, or of all, in no order."""
        ...


class DynamoStore:
    """The Store on DynamoDB."""

    def __init__(self, table: VersionedTable) -> None:
        self._table = table

    def get(self, subscription_id: str) -> Stock | None:
        row = self._table.get(subscription_id)
        return _from_row(row) if row else None

    def commit(self, after: Stock, record: OutboxRecord, *, replaces: Stock | None) -> None:
        self._table.commit(_to_row(after), record, replaces=replaces.version if replaces else None)

    def page(
        self, *, status: Status | None, limit: int, after: Mapping[str, str] | None
    ) -> Page[Stock]:
        where = Where(INDEX, "status", status) if status else None
        page = self._table.page(limit=limit, after=after, where=where)
        return Page([_from_row(row) for row in page.items], page.next_position)


def _to_row(stock: Stock) -> dict[str, Any]:
    return {
        "subscriptionId": stock.subscription_id,
        "stockId": stock.stock_id,
        "stock": stock.stock,
        "status": stock.status,
        "created": format_timestamp(stock.created),
        "updated": format_timestamp(stock.updated),
        "version": stock.version,
        "event": stock.event,
    }


def _from_row(row: Mapping[str, Any]) -> Stock:
    return Stock(
        subscription_id=row["subscriptionId"],
        stock_id=row["stockId"],
        stock=row["stock"],
        status=Status(row["status"]),
        created=parse_timestamp(row["created"]),
        updated=parse_timestamp(row["updated"]),
        version=row["version"],
        event=LastEvent(row["event"]),
    )
