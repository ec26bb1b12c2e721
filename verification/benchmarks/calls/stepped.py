"""The system's processes, put together as their composition roots do and counted by name."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from relay.__main__ import change_stream_adapters, dynamodb_adapters
from relay.settings import ChangeStreamRelaySettings, DynamoDBRelaySettings, ForwardSettings
from runtime.process.shutdown import Stop
from services.payment import main as payment_main
from services.payment.settings import PaymentApiSettings, PaymentConsumerSettings
from services.stock import main as stock_main
from services.stock.settings import StockConsumerSettings
from services.subscription import main as subscription_main
from services.subscription.settings import SubscriptionApiSettings, SubscriptionConsumerSettings
from verification.benchmarks.calls.counting import counted
from verification.benchmarks.calls.metering import Meter
from verification.benchmarks.calls.relaying import Forwarding, Relaying
from verification.benchmarks.calls.serving import Consuming, InProcessApi
from verification.benchmarks.calls.tally import CallTally
from verification.testkit.engines import Engines


class SteppedProcesses:
    """One of each, on engines that the topology was rendered to. Made before the first step."""

    def __init__(self, engines: Engines, tally: CallTally) -> None:
        self._engines, self._tally, self._meter = engines, tally, Meter(tally)

    @cached_property
    def subscription_api(self) -> InProcessApi:
        with self._as("subscription-api"):
            settings = self._engines.settings(SubscriptionApiSettings, "subscription-api")
            return InProcessApi(subscription_main.create_app(settings))

    @cached_property
    def payment_api(self) -> InProcessApi:
        with self._as("payment-api"):
            settings = self._engines.settings(PaymentApiSettings, "payment-api")
            return InProcessApi(payment_main.create_app(settings))

    @cached_property
    def subscription_cancelling(self) -> Consuming:
        with self._as("subscription-consumer"):
            settings = self._engines.settings(SubscriptionConsumerSettings, "subscription-consumer")
            queue = settings.payment_cancelled_queue
            return Consuming(settings, queue, subscription_main.event_handlers(settings)[queue])

    @cached_property
    def stock_allocating(self) -> Consuming:
        with self._as("stock-consumer"):
            settings = self._engines.settings(StockConsumerSettings, "stock-consumer")
            queue = settings.subscription_created_queue
            return Consuming(settings, queue, stock_main.event_handlers(settings)[queue])

    @cached_property
    def stock_deallocating(self) -> Consuming:
        with self._as("stock-consumer"):
            settings = self._engines.settings(StockConsumerSettings, "stock-consumer")
            queue = settings.payment_cancelled_queue
            return Consuming(settings, queue, stock_main.event_handlers(settings)[queue])

    @cached_property
    def payment_creating(self) -> Consuming:
        with self._as("payment-consumer"):
            settings = self._engines.settings(PaymentConsumerSettings, "payment-consumer")
            queue = settings.subscription_created_queue
            return Consuming(settings, queue, payment_main.event_handlers(settings)[queue])

    @cached_property
    def subscriptions_relay(self) -> Relaying:
        return self._dynamodb_relay("subscriptions-relay")

    @cached_property
    def stock_relay(self) -> Relaying:
        return self._dynamodb_relay("stock-relay")

    @cached_property
    def payments_change_stream(self) -> Relaying:
        with self._as("payments-change-stream"):
            settings = self._engines.settings(ChangeStreamRelaySettings, "payments-change-stream")
            return Relaying(change_stream_adapters(settings))

    @cached_property
    def payments_forward(self) -> Forwarding:
        with self._as("payments-forward"):
            return Forwarding(self._engines.settings(ForwardSettings, "payments-forward"))

    def start(self) -> None:
        """Make every process: from here on a stream tells of all that happens."""
        for name, value in vars(type(self)).items():
            if isinstance(value, cached_property):
                getattr(self, name)

    def _dynamodb_relay(self, name: str) -> Relaying:
        with self._as(name):
            settings = self._engines.settings(DynamoDBRelaySettings, name)
            return Relaying(dynamodb_adapters(settings, Stop()))

    @contextmanager
    def _as(self, process: str) -> Iterator[None]:
        with counted(process, self._tally, self._meter):
            yield
