"""This service's environment."""

from pydantic import Field

from runtime.settings import ApiSettings, ConsumerSettings, MongoSettings


class PaymentApiSettings(MongoSettings, ApiSettings):
    """For the API."""


class PaymentConsumerSettings(MongoSettings, ConsumerSettings):
    """For the consumer."""

    subscription_created_queue: str = Field(min_length=1)
