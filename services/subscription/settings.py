"""This service's environment."""

from pydantic import Field

from runtime.http.settings import ApiSettings
from runtime.settings import (
    AwsSettings,
    ConsumerSettings,
    ErasureSettings,
    KmsKey,
    PublisherSettings,
)


class TableSettings(AwsSettings):
    """Where subscriptions are kept."""

    subscriptions_table: str = Field(min_length=1)
    subscriptions_outbox_table: str = Field(min_length=1)


class SubscriptionApiSettings(TableSettings, PublisherSettings, ApiSettings):
    """For the API. It seals bank details under `sealing_key`, in version 2 of its events."""

    sealing_key: KmsKey


class SubscriptionErasureSettings(TableSettings, PublisherSettings, ErasureSettings):
    """For the command that erases after a restore: the API's, and the ids."""


class SubscriptionConsumerSettings(TableSettings, PublisherSettings, ConsumerSettings):
    """For the consumer."""

    payment_cancelled_queue: str = Field(min_length=1)
    stock_rejected_queue: str = Field(min_length=1)
