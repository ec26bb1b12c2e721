"""A subscription: a year of razors, paid for by direct debit."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self


class DomainError(Exception):
    """Root of what this domain refuses."""


class SubscriptionNotFound(DomainError):
    def __init__(self, subscription_id: str) -> None:
        super().__init__(f"there is no subscription {subscription_id}")


class IdempotencyKeyReused(DomainError):
    def __init__(self) -> None:
        super().__init__(
            "Idempotency-Key: this key was sent before with another body; use a new key"
        )


class Status(StrEnum):
    """Whether razors are still to come."""

    ACTIVE = "active"
    CANCELLED = "cancelled"


class LastEvent(StrEnum):
    """What the last change of a subscription was."""

    CREATED = "SubscriptionCreated"
    CANCELLED = "SubscriptionCancelled"


@dataclass(frozen=True)
class Order:
    """What a customer asks for. `quantity` is razors a month."""

    account_number: str
    account_name: str
    account_sort_code: str
    customer_first_name: str
    customer_surname: str
    quantity: int = 1


@dataclass(frozen=True)
class Subscription:
    """The aggregate. Each version is one thing that happened, named by `event`.

    `request_digest` shows whether a repeated Idempotency-Key came with the same body; `owner` is
    the Caller's, and None where there was none.
    """

    subscription_id: str
    order: Order
    request_digest: str
    status: Status
    created: datetime
    updated: datetime
    version: int
    event: LastEvent
    cancelled_reason: str | None = None
    owner: str | None = None

    @classmethod
    def create(
        cls,
        subscription_id: str,
        order: Order,
        *,
        request_digest: str,
        now: datetime,
        owner: str | None = None,
    ) -> Self:
        return cls(
            subscription_id=subscription_id,
            order=order,
            request_digest=request_digest,
            status=Status.ACTIVE,
            created=now,
            updated=now,
            version=1,
            event=LastEvent.CREATED,
            owner=owner,
        )

    def cancel(self, reason: str, *, now: datetime) -> Self:
        """Cancel it; one that is cancelled already stays as it is."""
        if self.status is Status.CANCELLED:
            return self
        return replace(
            self,
            status=Status.CANCELLED,
            cancelled_reason=reason,
            updated=now,
            version=self.version + 1,
            event=LastEvent.CANCELLED,
        )
