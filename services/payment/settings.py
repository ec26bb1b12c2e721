"""This service's environment."""

from pydantic import Field

from runtime.http.settings import ApiSettings, WebhookSettings
from runtime.settings import (
    ConsumerSettings,
    ErasureSettings,
    KmsKey,
    MongoSettings,
    PublisherSettings,
)


class PaymentApiSettings(WebhookSettings, MongoSettings, PublisherSettings, ApiSettings):
    """For the API. Without secrets it has no route for the bank's callback."""


class PaymentErasureSettings(MongoSettings, PublisherSettings, ErasureSettings):
    """For the command that erases after a restore: the API's, and the ids."""


class PaymentConsumerSettings(MongoSettings, PublisherSettings, ConsumerSettings):
    """For the consumer. With `sealing_key` it opens bank details: on AWS its ARN, not an alias."""

    sealing_key: KmsKey
    subscription_created_queue: str = Field(min_length=1)
    subscription_cancelled_queue: str = Field(min_length=1)
    subscription_erased_queue: str = Field(min_length=1)
