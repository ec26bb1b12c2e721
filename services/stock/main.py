"""Composition root of the stock service: `python -m services.stock.main api`.

What one process needs and another does not is imported where it is put together.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from runtime.aws import Aws
from runtime.process.tracing import Tracer
from runtime.process.worker import main
from services.stock.handlers import Handlers
from services.stock.settings import StockApiSettings, StockConsumerSettings, TableSettings
from services.stock.store import DynamoStore

if TYPE_CHECKING:
    from fastapi import FastAPI

    from runtime.sqs.handler import EventHandler


def create_app(settings: StockApiSettings, tracer: Tracer | None = None) -> "FastAPI":
    from runtime.http.app import create_api
    from runtime.http.auth import verifier_of
    from services.stock import api
    from services.stock.inventory_handlers import InventoryHandlers

    store = store_of(settings, tracer)
    return create_api(
        title="Stock",
        description="Twelve months of razors, put aside for each subscription, and what there is.",
        router=api.routes(Handlers(store), store, InventoryHandlers(store.inventory)),
        kinds=api.KINDS,
        check=store.check,
        verifier=verifier_of(settings),
        outbox=store.outbox,
        tracer=tracer,
        allowed_hosts=settings.allowed_hosts,
    )


def event_handlers(
    settings: StockConsumerSettings, tracer: Tracer | None = None
) -> "Mapping[str, EventHandler]":
    """By the queue that the events come from."""
    from services.stock import consumer

    handlers = Handlers(store_of(settings, tracer))
    return {
        settings.subscription_created_queue: consumer.subscription_created(handlers),
        settings.payment_cancelled_queue: consumer.payment_cancelled(handlers),
    }


def store_of(settings: TableSettings, tracer: Tracer | None = None) -> DynamoStore:
    return DynamoStore(
        Aws.of(settings).client("dynamodb"),
        table=settings.stock_table,
        outbox=settings.stock_outbox_table,
        inventory=settings.stock_inventory_table,
        tracer=tracer,
    )


def serve() -> None:
    from runtime.http.app import run_api

    run_api("stock-api", StockApiSettings, create_app)


def consume() -> None:
    from runtime.sqs.consumer import run_consumers

    run_consumers("stock-consumer", StockConsumerSettings, event_handlers)


if __name__ == "__main__":
    main({"api": serve, "consumer": consume})
