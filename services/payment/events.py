"""What this service publishes, on payments-event-bus."""

from typing import ClassVar, Literal

from pydantic import Field

from contracts.causes import Cause
from contracts.envelope import PAYLOAD_VERSION, EventDetail
from contracts.names import EventType, Source
from contracts.outbox import OutboxRecord
from contracts.publishing import outbox_record
from contracts.timestamps import Timestamp
from services.payment.model import EventName, Payment, Status


class PaymentDetail(EventDetail):
    """The payment after the event."""

    id: str = Field(
        validation_alias="subscription_id",
        serialization_alias="_id",
        description="The same as subscriptionId.",
    )
    subscription_id: str = Field(description="The subscription that it pays for.")
    account_number: str = Field(
        description="Bank account that is debited; empty where none is, or none is known any more."
    )
    status: Status = Field(description="active, and later perhaps cancelled.")
    created: Timestamp = Field(description="When it was set up.")
    updated: Timestamp = Field(description="When it last changed: with this event.")


class PaymentCreated(PaymentDetail):
    """A direct debit was set up."""

    event: Literal[EventType.PAYMENT_CREATED]


class PaymentCancelled(PaymentDetail):
    """The direct debit was cancelled."""

    event: Literal[EventType.PAYMENT_CANCELLED]


class PaymentDetailV2(EventDetail):
    """The payment after the event, without personal data."""

    version: ClassVar[int] = 2

    id: str = Field(
        validation_alias="subscription_id",
        serialization_alias="_id",
        description="The same as subscriptionId.",
    )
    subscription_id: str = Field(description="The subscription that it pays for.")
    status: Status = Field(description="active, and later perhaps cancelled.")
    created: Timestamp = Field(description="When it was set up.")
    updated: Timestamp = Field(description="When it last changed: with this event.")


class PaymentCreatedV2(PaymentDetailV2):
    """A direct debit was set up."""

    event: Literal[EventType.PAYMENT_CREATED]


class PaymentCancelledV2(PaymentDetailV2):
    """The direct debit was cancelled."""

    event: Literal[EventType.PAYMENT_CANCELLED]


_DETAILS: dict[EventName, type[PaymentDetail]] = {
    EventName.CREATED: PaymentCreated,
    EventName.CANCELLED: PaymentCancelled,
}
_VERSION_2: dict[EventName, type[PaymentDetailV2]] = {
    EventName.CREATED: PaymentCreatedV2,
    EventName.CANCELLED: PaymentCancelledV2,
}


def record_of(
    payment: Payment, cause: Cause, *, event_id: str, version: int = PAYLOAD_VERSION
) -> OutboxRecord:
    """The outbox record of the last event of a payment, in `version`; raises EventTooLarge."""
    kind = _DETAILS[payment.event] if version == PAYLOAD_VERSION else _VERSION_2[payment.event]
    metadata = cause.metadata(
        event_id=event_id,
        aggregate_id=payment.subscription_id,
        sequence=payment.version,
        occurred_at=payment.updated,
        version=kind.version,
    )
    detail = kind.from_fields_of(
        payment, account_number=payment.account_number or "", metadata=metadata
    )
    return outbox_record(detail, Source.PAYMENTS)
