"""Composition root of the subscription service: `python -m services.subscription.main api`.

What one process needs and another does not is imported where it is put together.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from contracts.bank_details import SEALED_FOR
from contracts.causes import Cause
from contracts.envelope import PAYLOAD_VERSION
from runtime.aws import Aws
from runtime.process.tracing import Tracer
from runtime.process.worker import main
from services.subscription.events import no_key
from services.subscription.handlers import Handlers
from services.subscription.model import CancelledBy, Reason, SubscriptionNotFound
from services.subscription.settings import (
    SubscriptionApiSettings,
    SubscriptionConsumerSettings,
    SubscriptionErasureSettings,
)
from services.subscription.store import DynamoStore

if TYPE_CHECKING:
    from fastapi import FastAPI

    from runtime.sqs.handler import EventHandler


def create_app(settings: SubscriptionApiSettings, tracer: Tracer | None = None) -> "FastAPI":
    from runtime.http.app import create_api
    from runtime.http.auth import verifier_of
    from services.subscription import api

    store = store_of(settings, tracer)
    handlers = Handlers(store, event_version=settings.event_version, seal=_seal_of(settings))
    return create_api(
        title="Subscriptions",
        description="A customer subscribes to a year of razors.",
        router=api.routes(handlers, store),
        kinds=api.KINDS,
        check=store.check,
        verifier=verifier_of(settings),
        outbox=store.outbox,
        tracer=tracer,
        allowed_hosts=settings.allowed_hosts,
    )


def _seal_of(settings: SubscriptionApiSettings) -> Callable[[str], str]:
    """What seals bank details; version 1 of the wire has them in clear, and needs no SDK."""
    if settings.event_version == PAYLOAD_VERSION:
        return no_key
    from runtime.late_seal import LateSeal

    return LateSeal(Aws.of(settings), settings.sealing_key, SEALED_FOR).seal


def event_handlers(
    settings: SubscriptionConsumerSettings, tracer: Tracer | None = None
) -> "Mapping[str, EventHandler]":
    """By the queue that the events come from."""
    from services.subscription import consumer

    handlers = Handlers(store_of(settings, tracer), event_version=settings.event_version)
    return {
        settings.payment_cancelled_queue: consumer.payment_cancelled(handlers),
        settings.stock_rejected_queue: consumer.stock_rejected(handlers),
    }


def store_of(
    settings: SubscriptionApiSettings | SubscriptionConsumerSettings | SubscriptionErasureSettings,
    tracer: Tracer | None = None,
) -> DynamoStore:
    return DynamoStore(
        Aws.of(settings).client("dynamodb"),
        table=settings.subscriptions_table,
        outbox=settings.subscriptions_outbox_table,
        tracer=tracer,
        pack=settings.pack_outbox_rows,
    )


def erasing(
    settings: SubscriptionErasureSettings, tracer: Tracer | None = None
) -> Callable[[str, Cause], bool]:
    """Erase a subscription; one that is active again, since it ended later, is ended first."""
    handlers = Handlers(store_of(settings, tracer), event_version=settings.event_version)

    def erase(subscription_id: str, cause: Cause) -> bool:
        try:
            handlers.cancel(subscription_id, CancelledBy.STAFF, Reason.NOT_STATED, cause)
            handlers.erase(subscription_id, cause)
        except SubscriptionNotFound:
            return False
        return True

    return erase


def serve() -> None:
    from runtime.http.app import run_api

    run_api("subscription-api", SubscriptionApiSettings, create_app)


def consume() -> None:
    from runtime.sqs.consumer import run_consumers

    run_consumers("subscription-consumer", SubscriptionConsumerSettings, event_handlers)


def erase_again() -> None:
    from runtime.process.erasures import run_erasures

    run_erasures("subscription-erase", SubscriptionErasureSettings, erasing)


if __name__ == "__main__":
    main({"erase": erase_again, "api": serve, "consumer": consume})
