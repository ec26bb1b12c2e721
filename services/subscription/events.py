"""What this service publishes, on subscriptions-event-bus."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from contracts.causes import Cause
from contracts.envelope import EventDetail
from contracts.names import EventType, Source
from contracts.outbox import OutboxRecord
from contracts.publishing import outbox_record
from contracts.timestamps import Timestamp
from services.subscription.model import CancelledBy, EventName, Reason, Status, Subscription


class _Detail(EventDetail):
    """What every event of a subscription says."""

    id: str = Field(validation_alias="subscription_id", description="The same as subscriptionId.")
    subscription_id: str = Field(description="Names the subscription in all three domains.")
    status: Status = Field(description="active, then perhaps cancelled, then perhaps erased.")
    created: Timestamp = Field(description="When it was created.")
    updated: Timestamp = Field(description="When it last changed: with this event.")


class SubscriptionDetail(_Detail):
    """The subscription after the event."""

    account_number: str = Field(description="Bank account that is debited.")
    account_name: str = Field(description="Name on the bank account.")
    account_sort_code: str = Field(description="Sort code of the bank.")
    customer_first_name: str = Field(description="The customer's first name.")
    customer_surname: str = Field(description="The customer's surname.")
    quantity: int = Field(description="Razors a month.", ge=1, le=10)
    cancelled_reason: str | None = Field(
        default=None, validation_alias="reason", description="The same as reason."
    )


class SubscriptionCreated(SubscriptionDetail):
    """A customer subscribed."""

    event: Literal[EventType.SUBSCRIPTION_CREATED]


def _were_added(schema: dict[str, Any]) -> None:
    """Events of earlier releases lack these."""
    for name in ("cancelledBy", "reason"):
        schema["required"].remove(name)


class SubscriptionCancelled(SubscriptionDetail):
    """The subscription ended."""

    model_config = ConfigDict(json_schema_extra=_were_added)

    event: Literal[EventType.SUBSCRIPTION_CANCELLED]
    cancelled_by: CancelledBy = Field(description="Who ended it; where it is missing, the bank.")
    reason: Reason = Field(description="Why; where it is missing, the payment was cancelled.")


class SubscriptionErased(_Detail):
    """Nothing personal is left of the subscription, and no copy of it is to be kept."""

    event: Literal[EventType.SUBSCRIPTION_ERASED]


_DETAILS: dict[EventName, type[_Detail]] = {
    EventName.CREATED: SubscriptionCreated,
    EventName.CANCELLED: SubscriptionCancelled,
    EventName.ERASED: SubscriptionErased,
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
