"""Composition root of the payment service: `python -m services.payment.main api`."""

from fastapi import FastAPI

from runtime import logs
from runtime.http.app import create_api, serve
from runtime.metrics import new_registry
from runtime.mongodb import Mongo
from runtime.process import tracing
from runtime.process.tracing import Tracer
from runtime.process.worker import main
from runtime.settings import load
from runtime.sqs.consumers import run_consumers
from services.payment import api, consumer
from services.payment.handlers import Handlers
from services.payment.settings import PaymentApiSettings, PaymentConsumerSettings
from services.payment.store import MongoStore, collection


def create_app(settings: PaymentApiSettings, tracer: Tracer | None = None) -> FastAPI:
    payments = collection(Mongo.of(settings), tracer)
    store = MongoStore(payments)
    return create_api(
        title="Payments",
        description="Direct debits, one for each subscription.",
        router=api.routes(Handlers(store), store),
        kinds=api.KINDS,
        check=payments.check,
        outbox=payments.outbox,
        registry=new_registry(),
        tracer=tracer,
    )


def run_api() -> None:
    settings = load(PaymentApiSettings)
    logs.configure(level=settings.log_level, form=settings.log_format, process="payment-api")
    with tracing.started("payment-api") as tracer:
        serve(create_app(settings, tracer), settings)


def run_consumer() -> None:
    settings = load(PaymentConsumerSettings)
    with tracing.started("payment-consumer") as tracer:
        handlers = Handlers(MongoStore(collection(Mongo.of(settings), tracer)))
        run_consumers(
            "payment-consumer",
            settings,
            {settings.subscription_created_queue: consumer.subscription_created(handlers)},
            tracer,
        )


if __name__ == "__main__":
    main({"api": run_api, "consumer": run_consumer})
