"""What this service publishes, on subscriptions-event-bus."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from contracts.causes import Cause
from contracts.envelope import PAYLOAD_VERSION, EventDetail, WireModel
from contracts.names import EventType, Source
from contracts.outbox import OutboxRecord
from contracts.publishing import outbox_record
from contracts.timestamps import Timestamp
from runtime.errors import Misconfigured
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


class SubscriptionDetailV2(_Detail):
    """The subscription after the event, without personal data in clear."""

    version: ClassVar[int] = 2

    quantity: int = Field(description="Razors a month.", ge=1, le=10)


class SubscriptionCreatedV2(SubscriptionDetailV2):
    """A customer subscribed."""

    event: Literal[EventType.SUBSCRIPTION_CREATED]
    bank_details: str = Field(
        description="The account to debit, sealed for payments alone: Base64 of a message of the"
        " AWS Encryption SDK."
    )


class SubscriptionCancelledV2(SubscriptionDetailV2):
    """The subscription ended."""

    event: Literal[EventType.SUBSCRIPTION_CANCELLED]
    cancelled_by: CancelledBy = Field(description="Who ended it.")
    reason: Reason = Field(description="Why.")


class SealedBankDetails(WireModel):
    """What is sealed: the account to debit, and which subscription it pays for."""

    version: Literal[1] = Field(default=1, description="Of this object.")
    subscription_id: str = Field(description="The event's; a reader compares them.")
    account_number: str = Field(description="Bank account that is debited.")
    account_name: str = Field(description="Name on the bank account.")
    account_sort_code: str = Field(description="Sort code of the bank.")


_DETAILS: dict[EventName, type[_Detail]] = {
    EventName.CREATED: SubscriptionCreated,
    EventName.CANCELLED: SubscriptionCancelled,
    EventName.ERASED: SubscriptionErased,
}
_VERSION_2: dict[EventName, type[_Detail]] = {
    **_DETAILS,
    EventName.CREATED: SubscriptionCreatedV2,
    EventName.CANCELLED: SubscriptionCancelledV2,
}


def no_key(_text: str) -> str:
    """Stand for a seal where nothing is sealed; raises Misconfigured."""
    raise Misconfigured("this process has no key to seal bank details with")


def record_of(
    subscription: Subscription,
    cause: Cause,
    *,
    event_id: str,
    version: int = PAYLOAD_VERSION,
    seal: Callable[[str], str] = no_key,
) -> OutboxRecord:
    """The outbox record of the last event of a subscription, in `version`.

    Raises EventTooLarge, and what `seal` raises, which makes a sealed text of a text.
    """
    kind = (_DETAILS if version == PAYLOAD_VERSION else _VERSION_2)[subscription.event]
    metadata = cause.metadata(
        event_id=event_id,
        aggregate_id=subscription.subscription_id,
        sequence=subscription.version,
        occurred_at=subscription.updated,
        version=kind.version,
    )
    sealed = {}
    if kind is SubscriptionCreatedV2:
        details = SealedBankDetails.from_fields_of(subscription.order, subscription, version=1)
        sealed["bank_details"] = seal(details.model_dump_json())
    detail = kind.from_fields_of(subscription.order, subscription, metadata=metadata, **sealed)
    return outbox_record(detail, Source.SUBSCRIPTIONS)
