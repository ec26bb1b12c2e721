"""This service's environment."""

from pydantic import Field

from runtime.http.settings import ApiSettings, WebhookSettings
from runtime.settings import ConsumerSettings, MongoSettings


class PaymentApiSettings(WebhookSettings, MongoSettings, ApiSettings):
    """For the API. Without secrets it has no route for the bank's callback."""


class PaymentConsumerSettings(MongoSettings, ConsumerSettings):
    """For the consumer."""

    subscription_created_queue: str = Field(min_length=1)
    subscription_cancelled_queue: str = Field(min_length=1)
    subscription_erased_queue: str = Field(min_length=1)
