"""What the subscription service's routes take and answer."""

from typing import Annotated, Literal, Self

from fastapi import Path
from pydantic import ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from contracts.envelope import ReadModel, WireModel
from contracts.timestamps import Timestamp
from runtime.http.pagination import PageView, page_example
from runtime.text import CONTROLS
from services.subscription.model import CancelledBy, Order, Reason, Status, Subscription

# What the example key leads to: the examples work one after the other, as they are.
_ID = "280d2be1-0a4c-5fe9-9a74-da3b91a9c428"
EXAMPLE_KEY = "order-2026-11-23-0001"
# Letters, marks, digits, punctuation and spaces between them.
_Name = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=70,
        pattern=rf"^[^\s{CONTROLS}]([^{CONTROLS}]*[^\s{CONTROLS}])?$",
    ),
]
# Digits alone are a number; with one of A-Z or a-z among them it is a reference.
AccountNumber = Annotated[
    str,
    StringConstraints(max_length=34, pattern=r"^([0-9]{6,10}|[0-9-]*[A-Za-z][A-Za-z0-9-]*)$"),
]


SubscriptionId = Annotated[
    str, Path(description="The subscription's id.", max_length=128, examples=[_ID])
]

_StatedReason = Literal[
    Reason.NOT_STATED,
    Reason.NO_LONGER_NEEDED,
    Reason.TOO_EXPENSIVE,
    Reason.DISSATISFIED,
    Reason.MOVED_AWAY,
    Reason.OTHER,
]


class NewSubscription(ReadModel):
    """A year of razors, from today."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "accountNumber": "12345678",
                    "accountName": "A Lovelace",
                    "accountSortCode": "12-34-56",
                    "customerFirstName": "Ada",
                    "customerSurname": "Lovelace",
                    "quantity": 2,
                }
            ]
        },
    )

    account_number: AccountNumber = Field(
        description=(
            "Bank account to debit: 6 to 10 digits, or a reference such as acc-222: up to 34 of"
            " A-Z, a-z, 0-9 and hyphens, with one of A-Z or a-z among them."
        )
    )
    account_name: _Name = Field(description="Name on the bank account.")
    account_sort_code: Annotated[
        str, StringConstraints(pattern=r"^([0-9]{6}|[0-9]{2}-[0-9]{2}-[0-9]{2})$")
    ] = Field(description="Sort code of the bank: 6 digits, with or without dashes.")
    customer_first_name: _Name = Field(description="The customer's first name.")
    customer_surname: _Name = Field(description="The customer's surname.")
    quantity: int = Field(default=1, ge=1, le=10, strict=True, description="Razors a month.")

    def to_order(self) -> Order:
        return Order(**dict(self))


class CancellationBody(ReadModel):
    """Why a subscription is cancelled; free text is not taken."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "too expensive"}]}
    )

    reason: _StatedReason = Field(default=Reason.NOT_STATED, description="Why.")


_EXAMPLE: JsonDict = {
    "id": _ID,
    "subscriptionId": _ID,
    "accountNumber": "12345678",
    "accountName": "A Lovelace",
    "accountSortCode": "12-34-56",
    "customerFirstName": "Ada",
    "customerSurname": "Lovelace",
    "quantity": 2,
    "status": "active",
    "created": "2026-11-23T09:30:00.000Z",
    "updated": "2026-11-23T09:30:00.000Z",
    "version": 1,
}


class SubscriptionView(WireModel):
    """The current state of a subscription."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str = Field(validation_alias="subscription_id", description="The same as subscriptionId.")
    subscription_id: str = Field(description="Names the subscription in all three services.")
    account_number: str | None = Field(
        default=None, description="Bank account that is debited; null once erased."
    )
    account_name: str | None = Field(
        default=None, description="Name on the bank account; null once erased."
    )
    account_sort_code: str | None = Field(
        default=None, description="Sort code of the bank; null once erased."
    )
    customer_first_name: str | None = Field(
        default=None, description="The customer's first name; null once erased."
    )
    customer_surname: str | None = Field(
        default=None, description="The customer's surname; null once erased."
    )
    quantity: int | None = Field(default=None, description="Razors a month; null once erased.")
    status: Status = Field(description="active, then perhaps cancelled, then perhaps erased.")
    cancelled_by: CancelledBy | None = Field(
        default=None, description="Who ended it; null while active.", examples=["customer"]
    )
    reason: Reason | None = Field(
        default=None, description="Why it ended; null while active.", examples=["too expensive"]
    )
    cancelled_reason: Reason | None = Field(
        default=None,
        validation_alias="reason",
        description="The same as reason.",
        examples=["too expensive"],
    )
    created: Timestamp = Field(description="When it was created.")
    updated: Timestamp = Field(description="When it last changed.")
    version: int = Field(description="1, and one more with each change.")

    @classmethod
    def of(cls, subscription: Subscription) -> Self:
        return cls.from_fields_of(subscription.order, subscription)


class CancellationView(WireModel):
    """How a subscription ended, without personal data."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "subscriptionId": _ID,
                    "status": "cancelled",
                    "cancelledBy": "customer",
                    "reason": "too expensive",
                    "updated": "2026-11-24T09:30:00.000Z",
                    "version": 2,
                }
            ]
        }
    )

    id: str = Field(validation_alias="subscription_id", description="The same as subscriptionId.")
    subscription_id: str = Field(description="The subscription.")
    status: Status = Field(description="cancelled, or erased.")
    cancelled_by: CancelledBy = Field(description="Who ended it.")
    reason: Reason = Field(description="Why it ended.")
    updated: Timestamp = Field(description="When it last changed.")
    version: int = Field(description="1, and one more with each change.")

    @classmethod
    def of(cls, subscription: Subscription) -> Self:
        return cls.from_fields_of(subscription)


class SubscriptionPage(PageView[SubscriptionView]):
    """Some subscriptions, and where to go on."""

    model_config = page_example(_EXAMPLE)
