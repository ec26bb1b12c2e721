"""The system as a model: APIs, outboxes, buses, queues and consumers, and lives that pass them."""

import simpy

from contracts.names import EventType
from verification.benchmarks.scaling import inputs, latency
from verification.benchmarks.scaling.buses import Buses, Sink
from verification.benchmarks.scaling.consumers import Consumer
from verification.benchmarks.scaling.documents import payment_relay
from verification.benchmarks.scaling.events import Event, Life
from verification.benchmarks.scaling.servers import Servers
from verification.benchmarks.scaling.stream import StreamedOutbox
from verification.benchmarks.scaling.waiting import Process, Stage
from verification.benchmarks.scaling.world import World
from verification.benchmarks.scaling.writes import hot_key_wcu, outbox_wcu


class Api:
    """One HTTP API: its throttle, where callers try again, and the cores of its tasks."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._stage = world.stage(name)
        self._throttle = world.quota(world.knobs.http_rate, world.knobs.http_burst)
        self._cores = Servers(world.env, world.knobs.api_tasks)

    def serve(self, commit: Process) -> Process:
        self._stage.enter()
        yield self._world.env.timeout(self._throttle.wait())
        yield self._cores.use(inputs.CPU_REQUEST.value / self._world.knobs.core)
        yield from commit
        self._stage.leave()


class System:
    """`live` is one subscription, from its request to its end."""

    def __init__(self, world: World) -> None:
        self._world, knobs = world, world.knobs
        sinks: dict[str, Sink] = {}
        self._buses = buses = Buses(world, sinks)
        self._subscriptions_api = Api(world, "subscription API")
        self._payments_api = Api(world, "payment API")
        self._subscriptions = _outbox(world, "subscriptions", buses)
        self._stock = _outbox(world, "stock", buses)
        self._documents = payment_relay(world, buses.publish)
        self._document_commits = world.quota(knobs.document_commits)
        self._index = world.quota(knobs.status_keys * inputs.PARTITION_WCU.value)
        stock = Consumer(world, "stock consumer", knobs.stock_tasks)
        payments = Consumer(world, "payment consumer", knobs.consumer_tasks)
        subscriptions = Consumer(world, "subscription consumer", knobs.consumer_tasks)
        sinks["stock-subscription-created"] = stock.queue(self._allocate)
        sinks["stock-payment-cancelled"] = stock.queue(self._give_back)
        sinks["payments-subscription-created"] = payments.queue(self._pay)
        sinks["subscriptions-payment-cancelled"] = subscriptions.queue(self._cancel)

    @property
    def stages(self) -> list[Stage]:
        return self._world.stages

    def live(self, life: Life) -> Process:
        """Subscribe; when it is paid, and after a while, cancel the payment."""
        created = Event(EventType.SUBSCRIPTION_CREATED, life)
        yield from self._subscriptions_api.serve(self._commit(created, self._subscriptions))
        yield life.paid
        mean = inputs.CANCEL_AFTER.value
        yield self._world.env.timeout(self._world.random.expovariate(1 / mean))
        life.cancel_requested = self._world.env.now
        cancelled = Event(EventType.PAYMENT_CANCELLED, life)
        yield from self._payments_api.serve(self._commit_document(cancelled))

    def _allocate(self, event: Event) -> Process:
        yield from self._change_stock(Event(EventType.STOCK_ALLOCATED, event.life))

    def _give_back(self, event: Event) -> Process:
        yield self._read()
        yield from self._change_stock(Event(EventType.STOCK_DEALLOCATED, event.life))

    def _change_stock(self, event: Event) -> Process:
        """A full index throttles its table, so the transaction waits for it."""
        yield self._world.env.timeout(self._index.wait(hot_key_wcu() / 2))
        yield from self._commit(event, self._stock)

    def _pay(self, event: Event) -> Process:
        yield from self._commit_document(Event(EventType.PAYMENT_CREATED, event.life))
        event.life.paid.succeed()

    def _cancel(self, event: Event) -> Process:
        yield self._read()
        cancelled = Event(EventType.SUBSCRIPTION_CANCELLED, event.life)
        yield from self._commit(cancelled, self._subscriptions)

    def _commit(self, event: Event, outbox: StreamedOutbox) -> Process:
        seconds = outbox.write() + latency.COMMIT.sample(self._world.random)
        yield self._world.env.timeout(seconds)
        event.life.committed[event.type] = self._world.env.now
        outbox.committed(event)

    def _commit_document(self, event: Event) -> Process:
        seconds = self._document_commits.wait() + latency.DOCUMENT.sample(self._world.random)
        yield self._world.env.timeout(seconds)
        event.life.committed[event.type] = self._world.env.now
        self._documents(event)

    def _read(self) -> simpy.Event:
        return self._world.env.timeout(latency.READ.sample(self._world.random))


def _outbox(world: World, domain: str, buses: Buses) -> StreamedOutbox:
    wcu = outbox_wcu(f"{domain}-outbox") / 2
    return StreamedOutbox(world, f"{domain} outbox", wcu, buses.publish)
