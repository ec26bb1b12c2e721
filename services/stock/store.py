"""Keeps stock: a row and its outbox record in one DynamoDB transaction."""

from collections.abc import Mapping
from typing import Any

from contracts.timestamps import format_timestamp, parse_timestamp
from runtime.outbox.dynamodb import Index, VersionedTable
from runtime.outbox.history import read_history, write_history
from services.stock.model import Event, EventName, Status, Stock


class DynamoStore(VersionedTable[Stock]):
    """Stock in DynamoDB. Lists of one status are oldest first, that of all is in no order."""

    key = "subscriptionId"
    index = Index("by-status", "status")

    def to_row(self, stock: Stock) -> Mapping[str, Any]:
        return {
            "subscriptionId": stock.subscription_id,
            "stockId": stock.stock_id,
            "stock": stock.stock,
            "status": stock.status,
            "created": format_timestamp(stock.created),
            "updated": format_timestamp(stock.updated),
            "version": stock.version,
            "event": stock.event,
            "events": write_history(stock.events),
            "asked": stock.asked,
            "available": stock.available,
        }

    def from_row(self, row: Mapping[str, Any]) -> Stock:
        created, updated = parse_timestamp(row["created"]), parse_timestamp(row["updated"])
        past = read_history(row, first=EventName.ALLOCATED, created=created, updated=updated)
        return Stock(
            subscription_id=row["subscriptionId"],
            stock_id=row["stockId"],
            stock=row["stock"],
            status=Status(row["status"]),
            created=created,
            events=tuple(Event(sequence, EventName(name), at) for sequence, name, at in past),
            asked=row.get("asked"),
            available=row.get("available"),
        )
