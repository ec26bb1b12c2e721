"""What this service reads from others' events, and no more."""

from pydantic import Field

from contracts.envelope import ReadModel


class SubscriptionCreated(ReadModel):
    """From the subscription domain: a customer will want razors."""

    subscription_id: str = Field(min_length=1, max_length=128)
    quantity: int = Field(ge=1, le=10)


class PaymentCancelled(ReadModel):
    """From the payment domain: the razors will not be paid for."""

    subscription_id: str = Field(min_length=1, max_length=128)
