"""What this service publishes, on subscriptions-event-bus."""

from typing import Literal

from pydantic import Field

from contracts.causes import Cause
from contracts.envelope import EventDetail
from contracts.names import EventType, Source
from contracts.outbox import OutboxRecord
from contracts.publishing import outbox_record
from contracts.timestamps import Timestamp
from services.subscription.model import LastEvent, Status, Subscription


class SubscriptionDetail(EventDetail):
    """The subscription after the event."""

    id: str = Field(validation_alias="subscription_id", description="The same as subscriptionId.")
    subscription_id: str = Field(description="Names the subscription in all three domains.")
    account_number: str = Field(description="Bank account that is debited.")
    account_name: str = Field(description="Name on the bank account.")
    account_sort_code: str = Field(description="Sort code of the bank.")
    customer_first_name: str = Field(description="The customer's first name.")
    customer_surname: str = Field(description="The customer's surname.")
    quantity: int = Field(description="Razors a month.", ge=1, le=10)
    status: Status = Field(description="active, and later perhaps cancelled.")
    cancelled_reason: str | None = Field(
        default=None, description="Why it was cancelled; null while active."
    )
    created: Timestamp = Field(description="When it was created.")
    updated: Timestamp = Field(description="When it last changed: with this event.")


class SubscriptionCreated(SubscriptionDetail):
    """A customer subscribed."""

    event: Literal[EventType.SUBSCRIPTION_CREATED]


class SubscriptionCancelled(SubscriptionDetail):
    """The subscription ended."""

    event: Literal[EventType.SUBSCRIPTION_CANCELLED]


_DETAILS: dict[LastEvent, type[SubscriptionDetail]] = {
    LastEvent.CREATED: SubscriptionCreated,
    LastEvent.CANCELLED: SubscriptionCancelled,
}


def record_of(subscription: Subscription, cause: Cause, *, event_id: str) -> OutboxRecord:
    """The outbox record of the last event of a subscription; raises EventTooLarge."""
    metadata = cause.metadata(
        event_id=event_id,
        aggregate_id=subscription.subscription_id,
        sequence=subscription.version,
        occurred_at=subscription.updated,
    )
    detail = _DETAILS[subscription.event].from_fields_of(
        subscription.order, subscription, metadata=metadata
    )
    return outbox_record(detail, Source.SUBSCRIPTIONS)
