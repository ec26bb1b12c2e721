"""A direct debit that pays for a subscription."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Self

CREATION, CANCELLATION = 1, 2
"""Versions. A cancellation is the second thing to happen to a payment, even where no debit was ever
made: an event carries the same sequence in whichever order its cause arrived."""


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


class EventName(StrEnum):
    """What may happen to a payment."""

    CREATED = "PaymentCreated"
    CANCELLED = "PaymentCancelled"


class Event(NamedTuple):
    """What happened, and when; `sequence` is the version that it led to."""

    sequence: int
    name: EventName
    at: datetime


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
    """The aggregate; one per subscription, whose id it bears. `events` are all that happened to it.

    `reason_code` is why the bank cancelled it; None for one that it did not cancel. Without an
    `account_number` it was cancelled before any debit was made, or was erased, at `erased_at`.
    """

    subscription_id: str
    account_number: str | None
    status: Status
    created: datetime
    events: tuple[Event, ...]
    reason_code: ReasonCode | None = None
    erased_at: datetime | None = None

    @property
    def version(self) -> int:
        return self.events[-1].sequence

    @property
    def event(self) -> EventName:
        return self.events[-1].name

    @property
    def updated(self) -> datetime:
        return self.events[-1].at

    @classmethod
    def create(cls, subscription_id: str, account_number: str, *, now: datetime) -> Self:
        return cls(
            subscription_id=subscription_id,
            account_number=account_number,
            status=Status.ACTIVE,
            created=now,
            events=(Event(CREATION, EventName.CREATED, now),),
        )

    @classmethod
    def cancel_before_creation(cls, subscription_id: str, *, now: datetime) -> Self:
        """Record that no debit is to be made: the subscription's end overtook its creation."""
        return cls(
            subscription_id=subscription_id,
            account_number=None,
            status=Status.CANCELLED,
            created=now,
            events=(Event(CANCELLATION, EventName.CANCELLED, now),),
        )

    def cancel(self, reason_code: ReasonCode | None = None, *, now: datetime) -> Self:
        """Cancel the debit; one that is cancelled already stays as it is, with its reason."""
        if self.status is Status.CANCELLED:
            return self
        return replace(
            self,
            status=Status.CANCELLED,
            events=(*self.events, Event(CANCELLATION, EventName.CANCELLED, now)),
            reason_code=reason_code,
        )

    def erase(self, *, now: datetime) -> Self:
        """Cancel the debit if it is open, and blank what is personal. The latter is no event."""
        if self.erased_at is not None:
            return self
        return replace(self.cancel(now=now), account_number=None, erased_at=now)
