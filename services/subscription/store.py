"""Keeps subscriptions: a row and its outbox record in one DynamoDB transaction."""

from collections.abc import Mapping
from typing import Any, Protocol

from contracts.outbox import OutboxRecord
from contracts.timestamps import format_timestamp, parse_timestamp
from runtime.cursors import Page
from runtime.outbox.commit import AggregateStore
from runtime.outbox.dynamodb import VersionedTable, Where
from services.subscription.model import LastEvent, Order, Status, Subscription

INDEX = "by-account-number"


class Store(AggregateStore[Subscription], Protocol):
    def page(
        self, *, account_number: str | None, limit: int, after: Mapping[str, str] | None
    ) -> Page[Subscription]:
        """Read a page: of one account's subscriptions, oldest first, or of all, in no order."""
        ...


class DynamoStore:
    """The Store on DynamoDB."""

    def __init__(self, table: VersionedTable) -> None:
        self._table = table

    def get(self, subscription_id: str) -> Subscription | None:
        row = self._table.get(subscription_id)
        return _from_row(row) if row else None

    def commit(
        self, after: Subscription, record: OutboxRecord, *, replaces: Subscription | None
    ) -> None:
        self._table.commit(_to_row(after), record, replaces=replaces.version if replaces else None)

    def page(
        self, *, account_number: str | None, limit: int, after: Mapping[str, str] | None
    ) -> Page[Subscription]:
        where = Where(INDEX, "accountNumber", account_number) if account_number else None
        page = self._table.page(limit=limit, after=after, where=where)
        return Page([_from_row(row) for row in page.items], page.next_position)


def _to_row(subscription: Subscription) -> dict[str, Any]:
    return {
        "subscriptionId": subscription.subscription_id,
        "accountNumber": subscription.order.account_number,
        "accountName": subscription.order.account_name,
        "accountSortCode": subscription.order.account_sort_code,
        "customerFirstName": subscription.order.customer_first_name,
        "customerSurname": subscription.order.customer_surname,
        "quantity": subscription.order.quantity,
        "status": subscription.status,
        "cancelledReason": subscription.cancelled_reason,
        "requestDigest": subscription.request_digest,
        "created": format_timestamp(subscription.created),
        "updated": format_timestamp(subscription.updated),
        "version": subscription.version,
        "event": subscription.event,
    }


def _from_row(row: Mapping[str, Any]) -> Subscription:
    return Subscription(
        subscription_id=row["subscriptionId"],
        order=Order(
            account_number=row["accountNumber"],
            account_name=row["accountName"],
            account_sort_code=row["accountSortCode"],
            customer_first_name=row["customerFirstName"],
            customer_surname=row["customerSurname"],
            quantity=row["quantity"],
        ),
        request_digest=row["requestDigest"],
        status=Status(row["status"]),
        cancelled_reason=row.get("cancelledReason"),
        created=parse_timestamp(row["created"]),
        updated=parse_timestamp(row["updated"]),
        version=row["version"],
        event=LastEvent(row["event"]),
    )
