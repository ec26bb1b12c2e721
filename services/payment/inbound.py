"""What this service reads from others' events, and no more."""

from collections.abc import Callable
from typing import Literal

from pydantic import Field, ValidationError

from contracts.envelope import ReadModel, describe
from runtime.errors import CannotOpen


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


class SubscriptionCreatedV2(ReadModel):
    """The same in version 2: what is debited is sealed."""

    subscription_id: str = Field(min_length=1, max_length=128)
    bank_details: str = Field(min_length=1, max_length=8192)


class BankDetails(ReadModel):
    """What is sealed: see contracts/bank_details.py."""

    version: Literal[1]
    subscription_id: str
    account_number: str = Field(min_length=1, max_length=34)


def bank_details_of(event: SubscriptionCreatedV2, open_sealed: Callable[[str], str]) -> BankDetails:
    """Open them with `open_sealed`; raises CannotOpen for what is not this event's, Unavailable."""
    try:
        found = BankDetails.model_validate_json(open_sealed(event.bank_details))
    except ValidationError as error:
        raise CannotOpen(describe(error)) from None
    if found.subscription_id != event.subscription_id:
        raise CannotOpen("it is another subscription's")
    return found
