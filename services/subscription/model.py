"""A subscription: a year of razors, paid for by direct debit."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Self

CREATION, CANCELLATION, ERASURE = 1, 2, 3
"""Versions: each is one event, in this order."""


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


class StillActive(DomainError):
    def __init__(self, subscription_id: str) -> None:
        super().__init__(f"subscription {subscription_id} is active: cancel it before its erasure")


class SubscriptionGone(DomainError):
    def __init__(self) -> None:
        super().__init__("Idempotency-Key: the subscription of this key was erased; use a new key")


class Status(StrEnum):
    """Whether razors are still to come; of one that is erased no personal data is left."""

    ACTIVE = "active"
    CANCELLED = "cancelled"
    ERASED = "erased"


class CancelledBy(StrEnum):
    """Who ended a subscription."""

    CUSTOMER = "customer"
    STAFF = "staff"
    BANK = "bank"
    STOCK = "stock"


class Reason(StrEnum):
    """Why a subscription ended: the published list."""

    NOT_STATED = "not stated"
    NO_LONGER_NEEDED = "no longer needed"
    TOO_EXPENSIVE = "too expensive"
    DISSATISFIED = "dissatisfied"
    MOVED_AWAY = "moved away"
    OTHER = "other"
    PAYMENT_CANCELLED = "payment cancelled"
    OUT_OF_STOCK = "out of stock"


class EventName(StrEnum):
    """What may happen to a subscription."""

    CREATED = "SubscriptionCreated"
    CANCELLED = "SubscriptionCancelled"
    ERASED = "SubscriptionErased"


class Event(NamedTuple):
    """What happened, and when; `sequence` is the version that it led to."""

    sequence: int
    name: EventName
    at: datetime


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
    """The aggregate. `events` are all that happened to it, in sequence.

    `request_digest` shows whether a repeated Idempotency-Key came with the same body; `owner` is
    the Caller's, and None where there was none. An erased one has no order, digest or owner.
    """

    subscription_id: str
    order: Order | None
    request_digest: str | None
    status: Status
    created: datetime
    events: tuple[Event, ...]
    cancelled_by: CancelledBy | None = None
    reason: Reason | None = None
    owner: str | None = None

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
            events=(Event(CREATION, EventName.CREATED, now),),
            owner=owner,
        )

    def requested_again(self, request_digest: str) -> Self:
        """Stay as it is; raises IdempotencyKeyReused for another body, SubscriptionGone."""
        if self.status is Status.ERASED:
            raise SubscriptionGone
        if request_digest != self.request_digest:
            raise IdempotencyKeyReused
        return self

    def cancel(self, by: CancelledBy, reason: Reason, *, now: datetime) -> Self:
        """Cancel it; one that has ended already stays as it is, with its first reason."""
        if self.status is not Status.ACTIVE:
            return self
        return replace(
            self,
            status=Status.CANCELLED,
            cancelled_by=by,
            reason=reason,
            events=(*self.events, Event(CANCELLATION, EventName.CANCELLED, now)),
        )

    def erase(self, *, now: datetime) -> Self:
        """Blank what is personal, once it has ended; raises StillActive."""
        match self.status:
            case Status.ACTIVE:
                raise StillActive(self.subscription_id)
            case Status.ERASED:
                return self
        return replace(
            self,
            order=None,
            request_digest=None,
            owner=None,
            status=Status.ERASED,
            events=(*self.events, Event(ERASURE, EventName.ERASED, now)),
        )
