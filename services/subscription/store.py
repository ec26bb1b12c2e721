"""Keeps subscriptions: a row and its outbox record in one DynamoDB transaction."""

from collections.abc import Mapping
from typing import Any, Protocol

from contracts.timestamps import format_timestamp, parse_timestamp
from runtime.cursors import Page
from runtime.outbox.commit import AggregateStore
from runtime.outbox.dynamodb import Index, VersionedTable
from runtime.outbox.history import read_history, write_history
from services.subscription.model import (
    CancelledBy,
    Event,
    EventName,
    Order,
    Reason,
    Status,
    Subscription,
)


class SubscriptionStore(AggregateStore[Subscription], Protocol):
    """Its lists are filtered by account number, by owner, and each of them by status."""

    def page(
        self,
        *,
        limit: int,
        after: Mapping[str, str] | None,
        where: str | None = None,
        status: str | None = None,
    ) -> Page[Subscription]:
        """Read a page: of one account number's, or of all; of those with a status, if one is given.

        With a status it may be short with others behind it.
        """
        ...

    def page_of(
        self,
        owner: str,
        /,
        *,
        limit: int,
        after: Mapping[str, str] | None,
        status: str | None = None,
    ) -> Page[Subscription]:
        """Read a page of the subscriptions of one owner likewise."""
        ...


class DynamoStore(VersionedTable[Subscription]):
    """Subscriptions in DynamoDB. A list of all is in no order, the others are oldest first."""

    key = "subscriptionId"
    index = Index("by-account-number", "accountNumber")
    by_owner = Index("by-owner", "owner")

    def page_of(
        self,
        owner: str,
        *,
        limit: int,
        after: Mapping[str, str] | None,
        status: str | None = None,
    ) -> Page[Subscription]:
        return self.page_of_index(self.by_owner, owner, limit=limit, after=after, status=status)

    def to_row(self, subscription: Subscription) -> Mapping[str, Any]:
        return {
            "subscriptionId": subscription.subscription_id,
            **(_of_order(subscription.order) if subscription.order else {}),
            "status": subscription.status,
            "cancelledBy": subscription.cancelled_by,
            "cancelledReason": subscription.reason,
            "requestDigest": subscription.request_digest,
            "owner": subscription.owner,
            "created": format_timestamp(subscription.created),
            "updated": format_timestamp(subscription.updated),
            "version": subscription.version,
            "event": subscription.event,
            "events": write_history(subscription.events),
        }

    def from_row(self, row: Mapping[str, Any]) -> Subscription:
        created, updated = parse_timestamp(row["created"]), parse_timestamp(row["updated"])
        past = read_history(row, first=EventName.CREATED, created=created, updated=updated)
        reason = row.get("cancelledReason")
        # Rows of earlier releases do not say who ended them: the bank did.
        by = row.get("cancelledBy", CancelledBy.BANK) if reason is not None else None
        return Subscription(
            subscription_id=row["subscriptionId"],
            order=_order_of(row) if "accountNumber" in row else None,
            request_digest=row.get("requestDigest"),
            owner=row.get("owner"),
            status=Status(row["status"]),
            cancelled_by=CancelledBy(by) if by is not None else None,
            reason=Reason(reason) if reason is not None else None,
            created=created,
            events=tuple(Event(sequence, EventName(name), at) for sequence, name, at in past),
        )


def _of_order(order: Order) -> dict[str, Any]:
    return {
        "accountNumber": order.account_number,
        "accountName": order.account_name,
        "accountSortCode": order.account_sort_code,
        "customerFirstName": order.customer_first_name,
        "customerSurname": order.customer_surname,
        "quantity": order.quantity,
    }


def _order_of(row: Mapping[str, Any]) -> Order:
    return Order(
        account_number=row["accountNumber"],
        account_name=row["accountName"],
        account_sort_code=row["accountSortCode"],
        customer_first_name=row["customerFirstName"],
        customer_surname=row["customerSurname"],
        quantity=row["quantity"],
    )
