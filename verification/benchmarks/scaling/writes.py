"""What one lifecycle writes to DynamoDB: the services' own stores are asked, not their authors."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from math import ceil
from typing import TYPE_CHECKING, Any, cast

from contracts.causes import Cause
from contracts.outbox import OutboxRecord
from runtime.outbox.dynamodb import VersionedTable
from services.stock import events as stock_events
from services.stock import store as stock_store
from services.stock.model import Stock
from services.subscription import events as subscription_events
from services.subscription import store as subscription_store
from services.subscription.model import Order, Subscription
from verification.benchmarks.scaling import inputs

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
_ID = "8bafc8b9-58d6-5e6c-9256-db6c11513867"
_ORDER = Order("12345678", "A Lovelace", "12-34-56", "Ada", "Lovelace", 2)
_CAUSE = Cause(_ID, _ID, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")


def outbox_wcu(table: str) -> float:
    """WCU that one lifecycle takes of an outbox: put in a transaction, later deleted."""
    units = [_units(item) for item in _puts()[table]]
    return sum(units) * inputs.TRANSACTION_FACTOR.value + sum(units)


def state_wcu(table: str) -> float:
    """WCU that one lifecycle takes of a table of aggregates, without its index."""
    return sum(_units(item) for item in _puts()[table]) * inputs.TRANSACTION_FACTOR.value


def index_wcu(table: str) -> float:
    """WCU that one lifecycle takes of the table's index, which holds whole rows.

    `by-status` moves a row at the change of its status: it deletes one and puts one.
    """
    units = [_units(item) for item in _puts()[table]]
    return sum(units) + (units[0] if table == "stock" else 0)


def hot_key_wcu() -> float:
    """WCU that one lifecycle takes of by-status's key `allocated`: the row comes, and goes."""
    return 2 * _units(_puts()["stock"][0])


class _Recorder:
    """A DynamoDB client that only remembers what a transaction puts, by table."""

    def __init__(self) -> None:
        self.puts: dict[str, list[Mapping[str, Any]]] = {}

    def transact_write_items(self, *, TransactItems: Iterable[Any]) -> None:  # noqa: N803 (boto3's)
        for each in TransactItems:
            self.puts.setdefault(each["Put"]["TableName"], []).append(each["Put"]["Item"])


@cache
def _puts() -> Mapping[str, list[Mapping[str, Any]]]:
    recorder = _Recorder()
    client = cast("DynamoDBClient", recorder)
    subscriptions = subscription_store.DynamoStore(
        VersionedTable(
            client, table="subscriptions", key="subscriptionId", outbox="subscriptions-outbox"
        )
    )
    active = Subscription.create(_ID, _ORDER, request_digest="0" * 64, now=_NOW)
    cancelled = active.cancel("payment cancelled", now=_NOW)
    subscriptions.commit(active, _of_subscription(active), replaces=None)
    subscriptions.commit(cancelled, _of_subscription(cancelled), replaces=active)
    stock = stock_store.DynamoStore(
        VersionedTable(client, table="stock", key="subscriptionId", outbox="stock-outbox")
    )
    allocated = Stock.allocate(_ID, _ORDER.quantity, now=_NOW)
    given_back = allocated.deallocate(now=_NOW)
    stock.commit(allocated, _of_stock(allocated), replaces=None)
    stock.commit(given_back, _of_stock(given_back), replaces=allocated)
    return recorder.puts


def _of_subscription(subscription: Subscription) -> OutboxRecord:
    return subscription_events.record_of(subscription, _CAUSE, event_id=_ID)


def _of_stock(stock: Stock) -> OutboxRecord:
    return stock_events.record_of(stock, _CAUSE, event_id=_ID)


def _units(item: Mapping[str, Any]) -> int:
    """WCU of one plain write: names and values count, as UTF-8; these are texts and numbers."""
    size = sum(
        len(name.encode()) + len(str(next(iter(value.values()))).encode())
        for name, value in item.items()
    )
    return ceil(size / inputs.WCU_BYTES.value)
