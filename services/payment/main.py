"""Composition root of the payment service: `python -m services.payment.main api`."""

from collections.abc import Callable, Mapping
from functools import partial

from fastapi import FastAPI

from contracts.bank_details import SEALED_FOR
from contracts.causes import Cause
from runtime.aws import Aws
from runtime.http.app import create_api, run_api
from runtime.http.auth import verifier_of
from runtime.mongodb import Mongo
from runtime.process.erasures import run_erasures
from runtime.process.tracing import Tracer
from runtime.process.worker import main
from runtime.signatures import Signatures
from runtime.sqs.consumer import run_consumers
from runtime.sqs.handler import EventHandler
from services.payment import api, consumer, webhook
from services.payment.handlers import Handlers
from services.payment.settings import (
    PaymentApiSettings,
    PaymentConsumerSettings,
    PaymentErasureSettings,
)
from services.payment.store import MongoStore


def create_app(settings: PaymentApiSettings, tracer: Tracer | None = None) -> FastAPI:
    store = MongoStore(Mongo.of(settings), tracer)
    handlers = Handlers(store, event_version=settings.event_version)
    router = api.routes(handlers, store)
    if secrets := settings.signing_secrets:
        router.routes.extend(webhook.routes(handlers, Signatures(secrets)).routes)
    return create_api(
        title="Payments",
        description="Direct debits, one for each subscription.",
        router=router,
        kinds=api.KINDS,
        check=store.check,
        verifier=verifier_of(settings),
        outbox=store.outbox,
        tracer=tracer,
        allowed_hosts=settings.allowed_hosts,
        open_paths=frozenset({webhook.PATH}),  # its requests are signed
    )


def event_handlers(
    settings: PaymentConsumerSettings, tracer: Tracer | None = None
) -> Mapping[str, EventHandler]:
    """By the queue that the events come from."""
    from runtime.sealing import Seal  # noqa: PLC0415 (the API does without the SDK)

    store = MongoStore(Mongo.of(settings), tracer)
    handlers = Handlers(store, event_version=settings.event_version)
    seal = Seal(Aws.of(settings).client("kms"), settings.sealing_key, SEALED_FOR)
    return {
        settings.subscription_created_queue: consumer.subscription_created(handlers, seal.open),
        settings.subscription_cancelled_queue: consumer.subscription_cancelled(handlers),
        settings.subscription_erased_queue: consumer.subscription_erased(handlers),
    }


def erasing(
    settings: PaymentErasureSettings, tracer: Tracer | None = None
) -> Callable[[str, Cause], bool]:
    """Erase a payment; where there is none, see to it that a late event makes none."""
    store = MongoStore(Mongo.of(settings), tracer)
    handlers = Handlers(store, event_version=settings.event_version)

    def erase(payment_id: str, cause: Cause) -> bool:
        handlers.erase(payment_id, cause)
        return True

    return erase


if __name__ == "__main__":
    main(
        {
            "erase": partial(run_erasures, "payment-erase", PaymentErasureSettings, erasing),
            "api": partial(run_api, "payment-api", PaymentApiSettings, create_app),
            "consumer": partial(
                run_consumers, "payment-consumer", PaymentConsumerSettings, event_handlers
            ),
        }
    )
