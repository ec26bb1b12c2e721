"""Keeps subscriptions: a row and its outbox record in one DynamoDB transaction."""

from collections.abc import Mapping
from typing import Any, Protocol

from contracts.timestamps import format_timestamp, parse_timestamp
from runtime.cursors import Page
from runtime.outbox.commit import AggregateStore
from runtime.outbox.dynamodb import Index, VersionedTable
from services.subscription.model import LastEvent, Order, Status, Subscription


class SubscriptionStore(AggregateStore[Subscription], Protocol):
    """Its lists are filtered by account number, and by owner."""

    def page_of(
        self, owner: str, /, *, limit: int, after: Mapping[str, str] | None
    ) -> Page[Subscription]:
        """Read a page of the subscriptions of one owner."""
        ...


class DynamoStore(VersionedTable[Subscription]):
    """Subscriptions in DynamoDB. A list of all is in no order, the others are oldest first."""

    key = "subscriptionId"
    index = Index("by-account-number", "accountNumber")
    by_owner = Index("by-owner", "owner")

    def page_of(
        self, owner: str, *, limit: int, after: Mapping[str, str] | None
    ) -> Page[Subscription]:
        return self.page_of_index(self.by_owner, owner, limit=limit, after=after)

    def to_row(self, subscription: Subscription) -> Mapping[str, Any]:
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
            "owner": subscription.owner,
            "created": format_timestamp(subscription.created),
            "updated": format_timestamp(subscription.updated),
            "version": subscription.version,
            "event": subscription.event,
        }

    def from_row(self, row: Mapping[str, Any]) -> Subscription:
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
            owner=row.get("owner"),
            status=Status(row["status"]),
            cancelled_reason=row.get("cancelledReason"),
            created=parse_timestamp(row["created"]),
            updated=parse_timestamp(row["updated"]),
            version=row["version"],
            event=LastEvent(row["event"]),
        )
