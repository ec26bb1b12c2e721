"""A direct debit that pays for a subscription."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self


class DomainError(Exception):
    """Root of what this domain refuses."""


class PaymentNotFound(DomainError):
    def __init__(self, payment_id: str) -> None:
        super().__init__(f"there is no payment {payment_id}")


class SubscriptionMismatch(DomainError):
    def __init__(self, payment_id: str) -> None:
        super().__init__(f"subscriptionId: must be the one in the path, {payment_id}")


class Status(StrEnum):
    """Whether the account is still debited."""

    ACTIVE = "active"
    CANCELLED = "cancelled"


class LastEvent(StrEnum):
    """What the last change of a payment was."""

    CREATED = "PaymentCreated"
    CANCELLED = "PaymentCancelled"


@dataclass(frozen=True)
class Payment:
    """The aggregate; one per subscription, whose id it bears."""

    subscription_id: str
    account_number: str
    status: Status
    created: datetime
    updated: datetime
    version: int
    event: LastEvent

    @classmethod
    def create(cls, subscription_id: str, account_number: str, *, now: datetime) -> Self:
        return cls(
            subscription_id=subscription_id,
            account_number=account_number,
            status=Status.ACTIVE,
            created=now,
            updated=now,
            version=1,
            event=LastEvent.CREATED,
        )

    def cancel(self, *, now: datetime) -> Self:
        """Cancel the debit; one that is cancelled already stays as it is."""
        if self.status is Status.CANCELLED:
            return self
        return replace(
            self,
            status=Status.CANCELLED,
            updated=now,
            version=self.version + 1,
            event=LastEvent.CANCELLED,
        )
