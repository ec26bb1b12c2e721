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


class ReasonCode(StrEnum):
    """The reason codes of Bacs' ADDACS by which a direct debit instruction ends.

    By the others (3, C, E, R) it moves to another bank or branch, is amended, or reinstated.
    """

    REFER_TO_PAYER = "0"
    CANCELLED_BY_PAYER = "1"
    PAYER_DECEASED = "2"
    ACCOUNT_CLOSED = "B"
    ADVANCE_NOTICE_DISPUTED = "D"


@dataclass(frozen=True)
class Payment:
    """The aggregate; one per subscription, whose id it bears.

    `reason_code` is why the bank cancelled it; None for one that it did not cancel.
    """

    subscription_id: str
    account_number: str
    status: Status
    created: datetime
    updated: datetime
    version: int
    event: LastEvent
    reason_code: ReasonCode | None = None

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

    def cancel(self, reason_code: ReasonCode | None = None, *, now: datetime) -> Self:
        """Cancel the debit; one that is cancelled already stays as it is, with its reason."""
        if self.status is Status.CANCELLED:
            return self
        return replace(
            self,
            status=Status.CANCELLED,
            updated=now,
            version=self.version + 1,
            event=LastEvent.CANCELLED,
            reason_code=reason_code,
        )
