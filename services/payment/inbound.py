"""What this service reads from others' events, and no more."""

from pydantic import Field

from contracts.envelope import ReadModel


class SubscriptionCreated(ReadModel):
    """From the subscription domain: a customer agreed to be debited."""

    subscription_id: str = Field(min_length=1, max_length=128)
    account_number: str = Field(min_length=1, max_length=34)


class SubscriptionCancelled(ReadModel):
    """From the subscription domain: the customer, the company or the stock ended it."""

    subscription_id: str = Field(min_length=1, max_length=128)


class SubscriptionErased(ReadModel):
    """From the subscription domain: nothing personal is to be kept."""

    subscription_id: str = Field(min_length=1, max_length=128)
