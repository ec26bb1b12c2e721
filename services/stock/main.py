"""Composition root of the stock service: `python -m services.stock.main api`."""

from fastapi import FastAPI

from runtime import logs
from runtime.api import create_api, serve
from runtime.aws import Aws
from runtime.consuming import run_consumers
from runtime.dynamodb import VersionedTable
from runtime.metrics import new_registry
from runtime.settings import load
from runtime.worker import main
from services.stock import api, consumer
from services.stock.handlers import Handlers
from services.stock.settings import StockApiSettings, StockConsumerSettings, TableSettings
from services.stock.store import DynamoStore


def create_app(settings: StockApiSettings) -> FastAPI:
    table = _table(settings)
    store = DynamoStore(table)
    return create_api(
        title="Stock",
        description="Twelve months of razors, put aside for each subscription.",
        router=api.routes(Handlers(store), store),
        kinds=api.KINDS,
        check=table.check,
        registry=new_registry(),
    )


def run_api() -> None:
    settings = load(StockApiSettings)
    logs.configure(level=settings.log_level, form=settings.log_format, process="stock-api")
    serve(create_app(settings), settings)


def run_consumer() -> None:
    settings = load(StockConsumerSettings)
    handlers = Handlers(DynamoStore(_table(settings)))
    run_consumers(
        "stock-consumer",
        settings,
        {
            settings.subscription_created_queue: consumer.subscription_created(handlers),
            settings.payment_cancelled_queue: consumer.payment_cancelled(handlers),
        },
    )


def _table(settings: TableSettings) -> VersionedTable:
    return VersionedTable(
        Aws.of(settings).client("dynamodb"),
        table=settings.stock_table,
        key="subscriptionId",
        outbox=settings.stock_outbox_table,
    )


if __name__ == "__main__":
    main({"api": run_api, "consumer": run_consumer})
