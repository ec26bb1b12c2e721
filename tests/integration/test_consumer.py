"""The consumer on a real queue: each message comes to its own end, whatever its neighbours do."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry

from runtime.aws import Aws
from runtime.errors import Misconfigured, Unavailable
from runtime.metrics import ConsumerMetrics
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.sqs.consumer import Consumer
from runtime.sqs.handler import Handler
from runtime.sqs.queue import SourceQueue, find_queue
from services.stock.model import Status as StockStatus
from tests.builders import a_body, a_cause, a_metadata, an_envelope, an_order
from tests.consuming import messages_of
from tests.queues import make_queue
from tests.system import System
from tests.threads import beside
from verification.testkit.tcp_proxy import TcpProxy
from verification.testkit.waiting import eventually


class Refused(Exception):
    """What a domain says of a message that it will never take."""


class Recorder:
    """A handler that does what a test has planned for a body, and notes what it was given."""

    def __init__(self, *plans: tuple[str, Callable[[int], None]]) -> None:
        self._plans = dict(plans)
        self._lock = threading.Lock()
        self.seen: Counter[str] = Counter()
        self.done: Counter[str] = Counter()

    def handle(self, body: str) -> None:
        with self._lock:
            self.seen[body] += 1
            count = self.seen[body]
        if body in self._plans:
            self._plans[body](count)
        with self._lock:
            self.done[body] += 1

    def is_permanent(self, error: Exception) -> bool:
        return isinstance(error, Refused)


@dataclass(frozen=True)
class Running:
    stop: Stop
    readiness: Readiness
    registry: CollectorRegistry
    thread: threading.Thread

    def outcomes(self, queue: SourceQueue) -> dict[str, int]:
        """How many messages came to which end."""
        return {
            sample.labels["outcome"]: int(sample.value)
            for metric in self.registry.collect()
            for sample in metric.samples
            if sample.name.endswith("_count") and sample.labels.get("queue") == queue.name
        }

    def leave(self, within: float = 60) -> None:
        self.stop.request()
        self.thread.join(within)
        assert not self.thread.is_alive()


@contextmanager
def consuming(
    sqs: Any, queue: SourceQueue, handler: Handler, *, concurrency: int = 20
) -> Iterator[Running]:
    """A consumer in a thread, stopped when the block ends."""
    registry = CollectorRegistry()
    messages = messages_of(sqs, handler, queue=queue, metrics=ConsumerMetrics(registry))
    stop, consumer = messages.stop, Consumer(messages, concurrency=concurrency)
    with beside(consumer.run, stop.request) as thread:
        yield Running(stop, messages.readiness, registry, thread)


def refuse(_: int) -> None:
    raise Refused("account 20000005 at 12-34-56 is closed")


def test_good_messages_are_handled_and_deleted(system: System) -> None:
    """Fifty messages, each handled once, and an empty queue after it."""
    queue = make_queue(system.aws)
    bodies = [f"body {number}" for number in range(50)]
    queue.send(*bodies)
    work = Recorder()
    with consuming(queue.sqs, queue.queue, work) as consumer:
        eventually(queue.empty, what="an empty queue")
        eventually(lambda: not consumer.readiness.reasons(), what="ready")
    assert work.done == Counter(bodies)
    assert consumer.outcomes(queue.queue) == {"handled": 50}


def test_poison_is_dead_lettered_beside_good(system: System) -> None:
    """The refused one is in the DLQ at once with its reason; its neighbours are handled."""
    queue = make_queue(system.aws)
    poison = '{"né": "☃ \\u0000",\n\t"spaces":   " kept "}'
    queue.send("a", poison, "b", "c")
    work = Recorder((poison, refuse))
    with consuming(queue.sqs, queue.queue, work) as consumer:
        eventually(queue.empty, what="an empty queue")
    assert work.done == Counter("abc")
    assert queue.dead_letters() == {poison: ("Refused", "account *** at *** is closed")}
    assert consumer.outcomes(queue.queue) == {"handled": 3, "dead-lettered": 1}


def test_a_redelivery_is_handled_again(system: System) -> None:
    """Work that outlasts the visibility timeout comes twice, and the queue is empty at the end."""
    queue = make_queue(system.aws, visibility_timeout=1)
    second = threading.Event()

    def slow(count: int) -> None:
        if count == 1:
            second.wait(60)
        else:
            second.set()

    queue.send("slow")
    work = Recorder(("slow", slow))
    with consuming(queue.sqs, queue.queue, work):
        eventually(lambda: work.done["slow"] == 2, what="both deliveries handled")
        eventually(queue.empty, what="an empty queue")
    assert queue.dead_letters() == {}


def test_an_outage_holds_a_message_without_using_up_its_receives(system: System) -> None:
    """Held past its visibility timeout, renewed each time, received once, handled at the end."""
    queue = make_queue(system.aws, visibility_timeout=2, max_receives=2)
    back = threading.Event()

    def away(_: int) -> None:
        if not back.is_set():
            raise Unavailable("DynamoDB", "testing")

    queue.send("held")
    work = Recorder(("held", away))
    with consuming(queue.sqs, queue.queue, work) as consumer:
        eventually(lambda: work.seen["held"] >= 5, what="five tries")
        eventually(
            lambda: "DynamoDB" in consumer.readiness.reasons().get(queue.queue.name, ""),
            what="not ready, and the reason",
        )
        assert queue.depth() == (0, 1)
        back.set()
        eventually(queue.empty, what="an empty queue")
        eventually(lambda: not consumer.readiness.reasons(), what="ready")
    assert work.done == Counter({"held": 1})
    assert consumer.outcomes(queue.queue) == {"handled": 1}
    assert queue.dead_letters() == {}


def test_a_stop_releases_what_is_held(system: System) -> None:
    """The message is visible again in a second for the next process, not after its timeout."""
    queue = make_queue(system.aws)

    def away(_: int) -> None:
        raise Unavailable("DynamoDB", "testing")

    queue.send("held")
    work = Recorder(("held", away))
    with consuming(queue.sqs, queue.queue, work) as consumer:
        eventually(lambda: work.seen["held"] >= 3, what="a message that is held")
        consumer.leave()
    eventually(lambda: queue.depth() == (1, 0), timeout=30, what="the message, visible")
    assert consumer.outcomes(queue.queue) == {"released": 1}


def test_a_stop_finishes_what_is_in_flight(system: System) -> None:
    """Asked to stop in the middle of a batch: handled, deleted, and only then gone."""
    queue = make_queue(system.aws)
    bodies = [f"body {number}" for number in range(10)]
    go_on, all_in = threading.Event(), threading.Barrier(11)

    def wait(_: int) -> None:
        all_in.wait(60)
        go_on.wait(60)

    queue.send(*bodies)
    work = Recorder(*((body, wait) for body in bodies))
    with consuming(queue.sqs, queue.queue, work) as consumer:
        all_in.wait(60)
        consumer.stop.request()
        go_on.set()
        consumer.leave()
    assert work.done == Counter(bodies)
    assert queue.empty()


def test_an_unknown_error_backs_off_and_is_dead_lettered_at_the_last_receive(
    system: System,
) -> None:
    """Tried as often as the queue allows, then set aside by us, with the reason."""
    queue = make_queue(system.aws, max_receives=2)

    def bug(_: int) -> None:
        raise KeyError("quantity")

    queue.send("odd", "good")
    work = Recorder(("odd", bug))
    with consuming(queue.sqs, queue.queue, work) as consumer:
        eventually(queue.empty, what="an empty queue")
    assert work.seen == {"odd": 2, "good": 1}
    assert queue.dead_letters() == {"odd": ("KeyError", "'quantity'")}
    assert consumer.outcomes(queue.queue) == {"handled": 1, "backed-off": 1, "dead-lettered": 1}


def test_held_messages_leave_no_thread_to_others_only_while_they_are_held(system: System) -> None:
    """With every thread holding, nothing more is received; what waits is seen by other processes.

    The next message is handled as soon as a thread is free.
    """
    queue = make_queue(system.aws)
    back = threading.Event()

    def away(_: int) -> None:
        if not back.is_set():
            raise Unavailable("DynamoDB", "testing")

    queue.send("held 1", "held 2", "next")
    work = Recorder(("held 1", away), ("held 2", away), ("next", away))
    with consuming(queue.sqs, queue.queue, work, concurrency=2):
        eventually(
            lambda: len(work.seen) == 2 and min(work.seen.values()) >= 2, what="two messages held"
        )
        assert len(work.seen) == 2
        assert queue.depth() == (1, 2)
        back.set()
        eventually(queue.empty, what="an empty queue")
    assert sum(work.done.values()) == 3


def test_sqs_away_and_back(system: System) -> None:
    """The consumer says that it is not ready, lives, and goes on where it was.

    What SQS handed out when nobody was listening any more comes after its visibility timeout.
    """
    queue = make_queue(system.aws, visibility_timeout=1)
    with TcpProxy(urlsplit(system.endpoint).port or 0).running() as proxy:
        aws = Aws(region=system.region, endpoint_url=f"http://127.0.0.1:{proxy.port}", attempts=1)
        work = Recorder()
        with consuming(aws.client("sqs"), queue.queue, work) as consumer:
            queue.send("before")
            eventually(lambda: work.done["before"] == 1, what="the first message handled")
            proxy.cut()
            eventually(lambda: bool(consumer.readiness.reasons()), what="not ready")
            queue.send("after")
            proxy.restore()
            eventually(lambda: work.done["after"] == 1, what="the second message handled")
            eventually(lambda: not consumer.readiness.reasons(), what="ready")
            eventually(queue.empty, what="an empty queue")


def test_a_dead_letter_queue_that_is_away_loses_nothing(system: System) -> None:
    """A message that cannot be set aside stays in its queue and comes again."""
    queue = make_queue(system.aws, visibility_timeout=1, max_receives=50)
    gone = replace(queue.queue, dead_letter_url=queue.queue.dead_letter_url + "-gone")
    queue.send("poison")
    work = Recorder(("poison", refuse))
    with consuming(queue.sqs, gone, work) as consumer:
        eventually(lambda: work.seen["poison"] >= 2, what="it came again")
    assert set(consumer.outcomes(queue.queue)) == {"failed"}
    with consuming(queue.sqs, queue.queue, work):
        eventually(queue.empty, what="an empty queue")
    assert set(queue.dead_letters()) == {"poison"}


def test_a_queue_without_a_dead_letter_queue_is_refused(system: System) -> None:
    """A consumer that could set nothing aside does not start; neither does one of no queue."""
    name = f"bare-{uuid4()}"
    sqs = system.aws.client("sqs")
    with pytest.raises(Misconfigured, match=f"the queue {name} does not exist"):
        find_queue(sqs, name)
    sqs.create_queue(QueueName=name)
    with pytest.raises(Misconfigured, match=f"the queue {name} has no redrive policy"):
        find_queue(sqs, name)


SERVICE_QUEUES = {
    "subscriptions-payment-cancelled": "PaymentCancelled",
    "stock-subscription-created": "SubscriptionCreated",
    "stock-payment-cancelled": "PaymentCancelled",
    "payments-subscription-created": "SubscriptionCreated",
}


@pytest.mark.parametrize(("name", "detail_type"), SERVICE_QUEUES.items())
def test_each_kind_of_poison_is_dead_lettered_with_its_reason(
    system: System, name: str, detail_type: str
) -> None:
    """Not JSON, not an event, another type or version, a broken schema; the good one is done."""
    queue = make_queue(system.aws)
    subscription_id = str(uuid4())
    if name.startswith("subscriptions"):
        subscription_id = system.subscriptions.subscribe(an_order(), a_cause()).subscription_id
    good = a_body(detail_type, subscriptionId=subscription_id)
    poison = {
        "20000006 12-34-56": ("NotAnEvent", "body: "),
        "[]": ("NotAnEvent", "body: "),
        '{"accountNumber": "20000006"}': ("NotAnEvent", "detail-type: Field required"),
        json.dumps(an_envelope({}, detail_type=detail_type, source="app.test")): (
            "NotAnEvent",
            "metadata: ",
        ),
        a_body("StockAllocated"): (
            "UnexpectedEvent",
            "StockAllocated version 1 is not handled here",
        ),
        a_body("20000006\x00"): ("UnexpectedEvent", "***\N{REPLACEMENT CHARACTER} version 1 is"),
        a_body(detail_type, metadata=a_metadata(version=3)): (
            "UnexpectedEvent",
            f"{detail_type} version 3 is not",
        ),
        a_body(detail_type, subscriptionId=None): ("SchemaViolation", "subscriptionId: "),
        a_body(detail_type, subscriptionId="x" * 129): ("SchemaViolation", "subscriptionId: "),
    }
    queue.send(*poison, good)
    with consuming(queue.sqs, queue.queue, system.handler(name)) as consumer:
        eventually(queue.empty, what="an empty queue")
    assert consumer.outcomes(queue.queue) == {"handled": 1, "dead-lettered": len(poison)}
    found = queue.dead_letters()
    assert found.keys() == poison.keys()
    for body, (error_type, message) in poison.items():
        assert found[body][0] == error_type
        assert message in found[body][1]
        assert "20000006" not in found[body][1]
        assert "12-34-56" not in found[body][1]


def test_a_cancellation_for_an_unknown_subscription_is_dead_lettered(system: System) -> None:
    """There is nothing to cancel and never will be: the DLQ, with the id that was meant."""
    queue = make_queue(system.aws)
    body = a_body("PaymentCancelled", subscriptionId="nobody-knows")
    queue.send(body)
    with consuming(queue.sqs, queue.queue, system.handler("subscriptions-payment-cancelled")):
        eventually(queue.empty, what="an empty queue")
    assert queue.dead_letters() == {
        body: ("SubscriptionNotFound", "there is no subscription nobody-knows")
    }


def test_a_database_that_is_away_holds_an_event_until_it_is_back(system: System) -> None:
    """The real handler over a cut connection: not dead-lettered, and allocated in the end."""
    queue = make_queue(system.aws, max_receives=2)
    subscription_id = str(uuid4())
    with TcpProxy(urlsplit(system.endpoint).port or 0).running() as proxy:
        cut_off = replace(system, endpoint=f"http://127.0.0.1:{proxy.port}")
        proxy.cut()
        queue.send(a_body("SubscriptionCreated", subscriptionId=subscription_id))
        handler = cut_off.handler("stock-subscription-created")
        with consuming(queue.sqs, queue.queue, handler) as consumer:
            eventually(
                lambda: "DynamoDB" in consumer.readiness.reasons().get(queue.queue.name, ""),
                what="not ready, and the reason",
            )
            proxy.restore()
            eventually(queue.empty, what="an empty queue")
    assert system.stock.get(subscription_id).status is StockStatus.ALLOCATED
    assert len(system.outbox("stock", subscription_id)) == 1
    assert queue.dead_letters() == {}
