"""Composition root of the stock service: `python -m services.stock.main api`."""

from fastapi import FastAPI

from runtime import logs
from runtime.aws import Aws
from runtime.http.app import create_api, serve
from runtime.metrics import new_registry
from runtime.outbox.dynamodb import VersionedTable
from runtime.process import tracing
from runtime.process.tracing import Tracer
from runtime.process.worker import main
from runtime.settings import load
from runtime.sqs.consumers import run_consumers
from services.stock import api, consumer
from services.stock.handlers import Handlers
from services.stock.settings import StockApiSettings, StockConsumerSettings, TableSettings
from services.stock.store import DynamoStore


def create_app(settings: StockApiSettings, tracer: Tracer | None = None) -> FastAPI:
    table = _table(settings, tracer)
    store = DynamoStore(table)
    return create_api(
        title="Stock",
        description="Twelve months of razors, put aside for each subscription.",
        router=api.routes(Handlers(store), store),
        kinds=api.KINDS,
        check=table.check,
        outbox=table.outbox,
        registry=new_registry(),
        tracer=tracer,
    )


def run_api() -> None:
    settings = load(StockApiSettings)
    logs.configure(level=settings.log_level, form=settings.log_format, process="stock-api")
    with tracing.started("stock-api") as tracer:
        serve(create_app(settings, tracer), settings)


def run_consumer() -> None:
    settings = load(StockConsumerSettings)
    with tracing.started("stock-consumer") as tracer:
        handlers = Handlers(DynamoStore(_table(settings, tracer)))
        run_consumers(
            "stock-consumer",
            settings,
            {
                settings.subscription_created_queue: consumer.subscription_created(handlers),
                settings.payment_cancelled_queue: consumer.payment_cancelled(handlers),
            },
            tracer,
        )


def _table(settings: TableSettings, tracer: Tracer | None = None) -> VersionedTable:
    return VersionedTable(
        Aws.of(settings).client("dynamodb"),
        table=settings.stock_table,
        key="subscriptionId",
        outbox=settings.stock_outbox_table,
        tracer=tracer,
    )


if __name__ == "__main__":
    main({"api": run_api, "consumer": run_consumer})
