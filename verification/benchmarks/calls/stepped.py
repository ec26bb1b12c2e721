"""The system's processes without their threads: each does its next work when it is asked to.

They are put together by their own composition roots, and counted by name.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from relay.__main__ import DaemonAdapters, change_stream_adapters, dynamodb_adapters
from relay.adapters.sqs_fifo import DeadLetterQueue
from relay.composition import aws_of, bus_of
from relay.forwarder import Forwarder
from relay.pipeline import Pipeline
from relay.settings import ChangeStreamRelaySettings, DynamoDBRelaySettings, ForwardSettings
from runtime.aws import Aws
from runtime.metrics import ConsumerMetrics, RelayMetrics
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.settings import ConsumerSettings, ProcessSettings
from runtime.sqs.deletions import Deletions
from runtime.sqs.handler import EventHandler
from runtime.sqs.messages import Messages
from runtime.sqs.queue import MAX_BATCH, find_queue
from services.payment import main as payment
from services.payment.settings import PaymentApiSettings, PaymentConsumerSettings
from services.stock import main as stock
from services.stock.settings import StockConsumerSettings
from services.subscription import main as subscription
from services.subscription.settings import SubscriptionApiSettings, SubscriptionConsumerSettings
from verification.benchmarks.calls.counting import counted
from verification.benchmarks.calls.metering import Meter
from verification.benchmarks.calls.tally import CallTally
from verification.testkit.engines import Engines
from verification.testkit.waiting import NotInTime, eventually

FORWARDED_WITHIN = 20.0
"""Seconds; it takes milliseconds."""

S = TypeVar("S", bound=ProcessSettings)
C = TypeVar("C", bound=ConsumerSettings)
P = TypeVar("P")


class SteppedProcesses:
    """One of each, on engines that the topology was rendered to.

    They are all made before the first step: from then on a stream tells of all that happens.
    """

    def __init__(self, engines: Engines, tally: CallTally) -> None:
        self._engines, self._tally, self._meter = engines, tally, Meter(tally)
        self.subscription_api = self._made(
            "subscription-api", SubscriptionApiSettings, subscription.create_app
        )
        self.payment_api = self._made("payment-api", PaymentApiSettings, payment.create_app)
        self.subscription_consumer = self._consumer(
            "subscription-consumer", SubscriptionConsumerSettings, subscription.event_handlers
        )
        self.stock_consumer = self._consumer(
            "stock-consumer", StockConsumerSettings, stock.event_handlers
        )
        self.payment_consumer = self._consumer(
            "payment-consumer", PaymentConsumerSettings, payment.event_handlers
        )
        self.subscriptions_relay = self._dynamodb_relay("subscriptions-relay")
        self.stock_relay = self._dynamodb_relay("stock-relay")
        self.payments_change_stream = self._made(
            "payments-change-stream",
            ChangeStreamRelaySettings,
            lambda settings: SteppedRelay(change_stream_adapters(settings)),
        )
        self.payments_forward = self._made("payments-forward", ForwardSettings, SteppedForwarder)

    def _consumer(
        self, name: str, settings: type[C], handlers_of: Callable[[C], Mapping[str, EventHandler]]
    ) -> "SteppedConsumer":
        return self._made(name, settings, partial(SteppedConsumer, handlers_of))

    def _dynamodb_relay(self, name: str) -> "SteppedRelay":
        return self._made(
            name,
            DynamoDBRelaySettings,
            lambda settings: SteppedRelay(dynamodb_adapters(settings, Stop())),
        )

    def _made(self, name: str, settings: type[S], make: Callable[[S], P]) -> P:
        with counted(name, self._tally, self._meter):
            given = self._engines.settings(settings, name)
            packs = "pack_outbox_rows" in settings.model_fields  # as a stage may, and dev does
            return make(given.model_copy(update={"pack_outbox_rows": True} if packs else {}))


def ask(
    app: FastAPI, method: str, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
) -> Any:
    """Send a request to a service's app, without a socket, and read its JSON.

    Raises httpx.HTTPStatusError.
    """

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.request(method, path, json=body, headers=headers)

    return asyncio.run(send()).raise_for_status().json()


class SteppedConsumer:
    """A consumer process: its queues, each with its handler."""

    def __init__(self, handlers_of: Callable[[C], Mapping[str, EventHandler]], settings: C) -> None:
        sqs = Aws.of(settings).client("sqs")
        self._queues = {
            name: Messages(
                sqs,
                find_queue(sqs, name),
                handler,
                stop=Stop(),
                metrics=ConsumerMetrics(CollectorRegistry()),
                readiness=Readiness(name),
                wait_seconds=settings.queue_wait_seconds,
            )
            for name, handler in handlers_of(settings).items()
        }

    def handle_next(self, queue: str) -> None:
        """Receive what there is, handle it and delete it; raises NotInTime."""
        messages = self._queues[queue]
        deletions = Deletions(messages.sqs, messages.queue.url)
        for message in eventually(lambda: messages.receive(MAX_BATCH), what=queue):
            if not messages.settle(message):
                raise NotInTime(f"{queue}: a message was not handled")
            deletions.add(message["ReceiptHandle"])
        deletions.delete_next()


class SteppedRelay:
    """A relay from an outbox: it reads, then publishes, then deletes."""

    def __init__(self, adapters: DaemonAdapters) -> None:
        self._registry = CollectorRegistry()
        self._feed = adapters.feed
        self._pipeline = Pipeline(adapters, stop=Stop(), metrics=RelayMetrics(self._registry))
        self._feed.open()

    def relay(self, rows: int = 1) -> None:
        """Bring rows to their target, each of another aggregate; raises NotInTime."""
        window, before = self._pipeline.window, _published(self._registry)
        offered = 0
        while offered < rows:
            offered += eventually(lambda: window.offer(self._feed.read()), what="the stream")
        while _published(self._registry) < before + rows:
            self._pipeline.publish_next()
        while len(window):
            self._pipeline.delete_next()


class SteppedForwarder:
    """One of `relay forward`'s forwarders."""

    def __init__(self, settings: ForwardSettings) -> None:
        aws = aws_of(settings)
        sqs = aws.client("sqs")
        bus = bus_of(settings, aws, None)
        queue = find_queue(sqs, settings.fifo_queue)
        registry = CollectorRegistry()
        self._stop = _StopWhenPublished(registry)
        self._forwarder = Forwarder(
            sqs,
            queue,
            bus,
            DeadLetterQueue(sqs, queue.dead_letter_queue),
            stop=self._stop,
            metrics=RelayMetrics(registry),
            readiness=Readiness(queue.name),
            wait_seconds=settings.queue_wait_seconds,
        )

    def forward(self) -> None:
        """Forward one message; raises NotInTime."""
        self._stop.aim_at_one_more()
        self._forwarder.run()


class _StopWhenPublished(Stop):
    """A stop that a forwarder finds requested once it has published one event more."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        self._registry = registry

    def aim_at_one_more(self) -> None:
        self._goal = _published(self._registry) + 1
        self._deadline = time.monotonic() + FORWARDED_WITHIN

    @property
    def requested(self) -> bool:
        if time.monotonic() > self._deadline:
            raise NotInTime("the FIFO queue")
        return _published(self._registry) >= self._goal


def _published(registry: CollectorRegistry) -> float:
    return registry.get_sample_value("relay_events_published_total") or 0.0
