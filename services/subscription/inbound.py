"""What this service reads from others' events, and no more."""

from pydantic import Field

from contracts.envelope import ReadModel


class PaymentCancelled(ReadModel):
    """From the payment domain: the direct debit of a subscription is gone."""

    subscription_id: str = Field(min_length=1, max_length=128)
