"""Consumes SQS queues: long polls, many messages at a time, each to its own end."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from runtime.aws import Aws
from runtime.metrics import ConsumerMetrics, new_registry
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.process.startup import startup
from runtime.process.tracing import Tracer
from runtime.process.worker import run_worker
from runtime.settings import ConsumerSettings
from runtime.sqs.deletions import Deletions
from runtime.sqs.handler import EventHandler, Instruments
from runtime.sqs.messages import Messages
from runtime.sqs.queue import BATCH_LINGER_SECONDS, MAX_BATCH, find_queue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

S = TypeVar("S", bound=ConsumerSettings)


def run_consumers(
    name: str,
    settings_type: type[S],
    handlers_of: Callable[[S, Tracer | None], Mapping[str, EventHandler]],
) -> None:
    """Run the consumer process `name` until it is asked to stop: one consumer a queue.

    `handlers_of` makes each queue's handler. Raises Misconfigured if a setting is missing or a
    queue does not exist; waits for SQS if it is away.
    """
    with startup(name, settings_type) as (settings, tracer):
        handlers = handlers_of(settings, tracer)
        registry, stop, readiness = new_registry(), Stop(), Readiness(*handlers)
        metrics = ConsumerMetrics(registry)

        def consumer(sqs: "SQSClient", queue: str, handler: EventHandler) -> Consumer:
            messages = Messages(
                sqs,
                find_queue(sqs, queue),
                replace(handler, instruments=Instruments(queue, metrics, tracer)),
                stop=stop,
                metrics=metrics,
                readiness=readiness,
                wait_seconds=settings.queue_wait_seconds,
            )
            return Consumer(messages)

        def prepare() -> Mapping[str, Callable[[], None]]:
            # Each call is tried once: what failed is held, or comes again.
            sqs = Aws.of(settings, attempts=1, patient=True).client("sqs")
            return {queue: consumer(sqs, queue, each).run for queue, each in handlers.items()}

        run_worker(settings, prepare=prepare, stop=stop, readiness=readiness, registry=registry)


class Consumer:
    """Receives, handles and deletes until a stop is requested, then finishes what is in flight.

    At most `concurrency` messages are being handled, and each has a thread: one that waits for a
    database to come back renews its own visibility, and no other message waits unseen behind it.
    Up to `overflow` more are held that have made room for others: each met an error that is in no
    list, and may be the only one to meet it. When more are held it is an outage, and all wait.
    `linger` is how long, in seconds, free threads wait for others before they receive: busy threads
    come free one by one.
    """

    def __init__(
        self,
        messages: Messages,
        *,
        concurrency: int = 20,
        overflow: int = 80,
        linger: float = BATCH_LINGER_SECONDS,
    ) -> None:
        self._messages, self._linger = messages, linger
        self._threads = concurrency + overflow
        self._free = Slots(concurrency)
        self._overflow = threading.Semaphore(overflow)

    def run(self) -> None:
        messages = self._messages
        messages.readiness.up(messages.queue.name)
        with (
            Deletions(messages.sqs, messages.queue.url) as deletions,
            ThreadPoolExecutor(self._threads, thread_name_prefix=messages.queue.name) as pool,
        ):
            try:
                while not messages.stop.requested:
                    for message in self._receive():
                        pool.submit(self._settle, message, deletions)
            finally:
                messages.stop.request()  # also after a failure: what is held lets go of its message

    def _receive(self) -> "list[MessageTypeDef]":
        """Claim free threads, a batch of them if they come soon, and receive as many messages."""
        claimed = self._free.claim(MAX_BATCH, within=0.5, linger=self._linger)
        if not claimed:
            return []
        messages: list[MessageTypeDef] = []
        try:
            messages = self._messages.receive(claimed)
        finally:
            unused = claimed - len(messages)
            if unused:
                self._free.release(unused)
        return messages

    def _settle(self, message: "MessageTypeDef", deletions: Deletions) -> None:
        slot = Slot(self._free, self._overflow)
        try:
            if self._messages.settle(message, slot.make_room):
                deletions.add(message["ReceiptHandle"])
        finally:
            slot.leave()


class Slots:
    """A semaphore whose places are claimed together: who waits for ten is not woken for each."""

    def __init__(self, places: int) -> None:
        self._changed = threading.Condition()
        self._places, self._wanted = places, 0

    def claim(self, most: int, *, within: float, linger: float) -> int:
        """Wait for a place, and `linger` seconds for as many as `most`; returns how many it got."""
        with self._changed:
            if self._wait_for(1, within):
                self._wait_for(most, linger)
            claimed = min(most, self._places)
            self._places -= claimed
            return claimed

    def release(self, places: int = 1) -> None:
        with self._changed:
            self._places += places
            if self._places >= self._wanted > 0:
                self._changed.notify()

    def _wait_for(self, places: int, seconds: float) -> bool:
        self._wanted = places
        found = self._changed.wait_for(lambda: self._places >= places, seconds)
        self._wanted = 0
        return found


class Slot:
    """A message's slot among the `free` ones, which it can exchange for one of the `overflow`."""

    def __init__(self, free: Slots | threading.Semaphore, overflow: threading.Semaphore) -> None:
        self._taken = free
        self._free, self._overflow = free, overflow

    def make_room(self) -> None:
        """Let another message have the slot, if there is room for this one beside it."""
        if self._taken is self._free and self._overflow.acquire(blocking=False):
            self._taken = self._overflow
            self._free.release()

    def leave(self) -> None:
        self._taken.release()
