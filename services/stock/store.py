"""Keeps stock: a row, its outbox record and what it takes in one DynamoDB transaction."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from contracts.timestamps import format_timestamp, parse_timestamp
from runtime.outbox.commit import AggregateStore
from runtime.outbox.dynamodb import Index, VersionedTable
from runtime.outbox.history import read_history, write_history
from runtime.process.tracing import Tracer
from services.stock.inventory import InventoryStore
from services.stock.inventory_table import InventoryTable
from services.stock.model import Event, EventName, Status, Stock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class StockStore(AggregateStore[Stock], Protocol):
    """Stock, and the inventory that it is taken from.

    A commit takes what `after` has in `taken` and the row it replaces has not, and gives back what
    only that one has. It raises Conflict, and writes nothing, if a shard has too little available.
    """

    @property
    def inventory(self) -> InventoryStore: ...


class DynamoStore(VersionedTable[Stock]):
    """Stock in DynamoDB. Lists of one status are oldest first, that of all is in no order."""

    key = "subscriptionId"
    index = Index("by-status", "status")

    def __init__(
        self,
        client: "DynamoDBClient",
        *,
        table: str,
        outbox: str,
        inventory: str,
        tracer: Tracer | None = None,
    ) -> None:
        super().__init__(client, table=table, outbox=outbox, tracer=tracer)
        self.inventory = InventoryTable(client, inventory)

    def beside(self, after: Stock, before: Stock | None) -> Sequence[Any]:
        return self.inventory.moving(after.stock_id, before.taken if before else {}, after.taken)

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
            "taken": {str(shard): razors for shard, razors in stock.taken.items()} or None,
            "beyondInventory": stock.beyond_inventory or None,
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
            taken={int(shard): int(razors) for shard, razors in row.get("taken", {}).items()},
            beyond_inventory=row.get("beyondInventory", False),
        )
