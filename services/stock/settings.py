"""This service's environment."""

from pydantic import Field

from runtime.http.settings import ApiSettings
from runtime.settings import AwsSettings, ConsumerSettings


class TableSettings(AwsSettings):
    """Where stock is kept, and what it is taken from."""

    stock_table: str = Field(min_length=1)
    stock_outbox_table: str = Field(min_length=1)
    stock_inventory_table: str = Field(min_length=1)


class StockApiSettings(TableSettings, ApiSettings):
    """For the API."""


class StockConsumerSettings(TableSettings, ConsumerSettings):
    """For the consumer."""

    subscription_created_queue: str = Field(min_length=1)
    payment_cancelled_queue: str = Field(min_length=1)
