"""What this service reads from others' events, and no more."""

from pydantic import Field

from contracts.envelope import ReadModel


class PaymentCancelled(ReadModel):
    """From the payment domain: the direct debit of a subscription is gone."""

    subscription_id: str = Field(min_length=1, max_length=128)


class StockRejected(ReadModel):
    """From the stock domain: there are too few razors for a subscription."""

    subscription_id: str = Field(min_length=1, max_length=128)
