"""A consumer's messages, as its process puts them together, and queues in memory for them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry

from infra.resources import Queue, RedrivePolicy
from runtime.metrics import ConsumerMetrics
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.sqs.handler import EventHandler, Handler
from runtime.sqs.messages import Messages
from runtime.sqs.queue import SourceQueue, find_queue
from services.payment import consumer as payment_consumer
from services.payment.handlers import Handlers as PaymentHandlers
from services.stock import consumer as stock_consumer
from services.stock.handlers import Handlers as StockHandlers
from services.subscription import consumer as subscription_consumer
from services.subscription.handlers import Handlers as SubscriptionHandlers
from tests.fakes import opened

EVENT_HANDLERS: Mapping[str, Callable[[Any], EventHandler]] = {
    "subscriptions-payment-cancelled": subscription_consumer.payment_cancelled,
    "subscriptions-stock-rejected": subscription_consumer.stock_rejected,
    "stock-subscription-created": stock_consumer.subscription_created,
    "stock-payment-cancelled": stock_consumer.payment_cancelled,
    "payments-subscription-created": partial(
        payment_consumer.subscription_created, open_sealed=opened
    ),
    "payments-subscription-cancelled": payment_consumer.subscription_cancelled,
    "payments-subscription-erased": payment_consumer.subscription_erased,
}
"""By queue, from its service's handlers."""

HANDLERS: Mapping[str, Any] = {
    "subscriptions": SubscriptionHandlers,
    "stock": StockHandlers,
    "payments": PaymentHandlers,
}
"""By domain, on a store."""

QUEUES = (
    Queue("work", visibility_timeout=60, redrive=RedrivePolicy("work-dlq", 5)),
    Queue("work-dlq"),
)
"""For a client in memory, where `messages_of` finds the first."""


def messages_of(
    sqs: Any,
    handler: Handler,
    *,
    queue: SourceQueue | None = None,
    stop: Stop | None = None,
    metrics: ConsumerMetrics | None = None,
    wait_seconds: int = 1,
) -> Messages:
    queue = queue or find_queue(sqs, "work")
    return Messages(
        sqs,
        queue,
        handler,
        stop=stop or Stop(),
        metrics=metrics or ConsumerMetrics(CollectorRegistry()),
        readiness=Readiness(queue.name),
        wait_seconds=wait_seconds,
    )
