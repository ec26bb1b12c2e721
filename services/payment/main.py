"""Composition root of the payment service: `python -m services.payment.main api`.

What one process needs and another does not is imported where it is put together.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from contracts.causes import Cause
from runtime.mongodb import Mongo
from runtime.process.tracing import Tracer
from runtime.process.worker import main
from services.payment.handlers import Handlers
from services.payment.settings import (
    PaymentApiSettings,
    PaymentConsumerSettings,
    PaymentErasureSettings,
)
from services.payment.store import MongoStore

if TYPE_CHECKING:
    from fastapi import FastAPI

    from runtime.sqs.handler import EventHandler


def create_app(settings: PaymentApiSettings, tracer: Tracer | None = None) -> "FastAPI":
    from runtime.http.app import create_api
    from runtime.http.auth import verifier_of
    from runtime.signatures import Signatures
    from services.payment import api, webhook

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
) -> "Mapping[str, EventHandler]":
    """By the queue that the events come from."""
    from contracts.bank_details import SEALED_FOR
    from runtime.aws import Aws
    from runtime.late_seal import LateSeal
    from services.payment import consumer

    store = MongoStore(Mongo.of(settings), tracer)
    handlers = Handlers(store, event_version=settings.event_version)
    seal = LateSeal(Aws.of(settings), settings.sealing_key, SEALED_FOR)
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


def serve() -> None:
    from runtime.http.app import run_api

    run_api("payment-api", PaymentApiSettings, create_app)


def consume() -> None:
    from runtime.sqs.consumer import run_consumers

    run_consumers("payment-consumer", PaymentConsumerSettings, event_handlers)


def erase_again() -> None:
    from runtime.process.erasures import run_erasures

    run_erasures("payment-erase", PaymentErasureSettings, erasing)


if __name__ == "__main__":
    main({"erase": erase_again, "api": serve, "consumer": consume})
