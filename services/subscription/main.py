"""Composition root of the subscription service: `python -m services.subscription.main api`."""

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
from services.subscription import api, consumer
from services.subscription.handlers import Handlers
from services.subscription.settings import (
    SubscriptionApiSettings,
    SubscriptionConsumerSettings,
    TableSettings,
)
from services.subscription.store import DynamoStore


def create_app(settings: SubscriptionApiSettings, tracer: Tracer | None = None) -> FastAPI:
    table = _table(settings, tracer)
    store = DynamoStore(table)
    return create_api(
        title="Subscriptions",
        description="A customer subscribes to a year of razors.",
        router=api.routes(Handlers(store), store),
        kinds=api.KINDS,
        check=table.check,
        outbox=table.outbox,
        registry=new_registry(),
        tracer=tracer,
    )


def run_api() -> None:
    settings = load(SubscriptionApiSettings)
    logs.configure(level=settings.log_level, form=settings.log_format, process="subscription-api")
    with tracing.started("subscription-api") as tracer:
        serve(create_app(settings, tracer), settings)


def run_consumer() -> None:
    settings = load(SubscriptionConsumerSettings)
    with tracing.started("subscription-consumer") as tracer:
        handlers = Handlers(DynamoStore(_table(settings, tracer)))
        run_consumers(
            "subscription-consumer",
            settings,
            {settings.payment_cancelled_queue: consumer.payment_cancelled(handlers)},
            tracer,
        )


def _table(settings: TableSettings, tracer: Tracer | None = None) -> VersionedTable:
    return VersionedTable(
        Aws.of(settings).client("dynamodb"),
        table=settings.subscriptions_table,
        key="subscriptionId",
        outbox=settings.subscriptions_outbox_table,
        tracer=tracer,
    )


if __name__ == "__main__":
    main({"api": run_api, "consumer": run_consumer})
