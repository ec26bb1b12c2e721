"""This service's environment."""

from pydantic import Field

from runtime.http.settings import ApiSettings
from runtime.settings import AwsSettings, ConsumerSettings


class TableSettings(AwsSettings):
    """Where subscriptions are kept."""

    subscriptions_table: str = Field(min_length=1)
    subscriptions_outbox_table: str = Field(min_length=1)


class SubscriptionApiSettings(TableSettings, ApiSettings):
    """For the API."""


class SubscriptionConsumerSettings(TableSettings, ConsumerSettings):
    """For the consumer."""

    payment_cancelled_queue: str = Field(min_length=1)
    stock_rejected_queue: str = Field(min_length=1)
