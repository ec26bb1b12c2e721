"""Queues of a load run: the system's own, filled and watched, and taps of what is on a bus."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from infra.taps import taps_of
from infra.topology import TOPOLOGY
from operations.sources.depths import depth_of
from runtime.aws import Aws
from runtime.sqs.queue import SEND_LIMITS, delete_batch, find_url
from verification.testkit.engines import Engines
from verification.testkit.meanwhile import meanwhile

DRAINERS = 3
"""Threads: a queue that grows would slow the emulator, and with it what is measured."""


def send_all(engines: Engines, queue: str, bodies: Sequence[str]) -> None:
    """Send bodies in batches, some at a time."""
    sqs: Any = engines.aws.client("sqs")
    url = find_url(sqs, queue)

    def send(some: Sequence[str]) -> None:
        entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(some)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, SEND_LIMITS.cut(bodies, lambda body: len(body.encode()))))


def depth(engines: Engines, queue: str) -> int:
    """Count the messages that wait or are in flight."""
    sqs = engines.aws.client("sqs")
    return depth_of(sqs, find_url(sqs, queue)).total


class TapQueue:
    """Receives all that a queue gets, and tells each event's id and when it came, in seconds."""

    def __init__(self, aws: Aws, queue: str) -> None:
        self._sqs: Any = aws.client("sqs")
        self._url = find_url(self._sqs, queue)
        self._lock = threading.Lock()
        self.seen: Counter[str] = Counter()
        self.came: dict[str, float] = {}

    @contextmanager
    def draining(self, threads: int = DRAINERS) -> Iterator["TapQueue"]:
        """Drain until the block ends."""
        with meanwhile(self._drain, threads):
            yield self

    @property
    def duplicates(self) -> int:
        return self.seen.total() - len(self.seen)

    def _drain(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            messages = self._sqs.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=1
            ).get("Messages", [])
            now = time.time()
            for message in messages:
                self._note(message["Body"], now)
            if messages:
                delete_batch(self._sqs, self._url, [each["ReceiptHandle"] for each in messages])

    def _note(self, body: str, now: float) -> None:
        detail = json.loads(body)["detail"]
        event_id = event_id_of(detail["id"], detail["sequence"])
        with self._lock:
            self.seen[event_id] += 1
            self.came.setdefault(event_id, now)


def event_id_of(aggregate_id: str, sequence: int) -> str:
    """Name an event of a load run: no two have the same aggregate and sequence."""
    return f"{aggregate_id} {sequence}"


def untap(aws: Aws, bus: str) -> None:
    """Take the tap of everything off a bus: a hundred thousand messages stop the emulator."""
    events = aws.client("events")
    rule = next(each.rule for each in taps_of(TOPOLOGY) if each.bus == bus)
    targets = events.list_targets_by_rule(Rule=rule, EventBusName=bus)["Targets"]
    if targets:
        ids = [target["Id"] for target in targets]
        events.remove_targets(Rule=rule, EventBusName=bus, Ids=ids)


def tap(aws: Aws, bus: str, kind: str) -> str:
    """Send the events of one kind to a new queue of their own; its name."""
    queue = f"load-{kind}-{uuid4().hex[:8]}"
    sqs, events = aws.client("sqs"), aws.client("events")
    url = sqs.create_queue(QueueName=queue)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    pattern = json.dumps({"detail": {"load": [kind]}})
    events.put_rule(Name=queue, EventBusName=bus, EventPattern=pattern)
    targets: Any = [{"Id": queue, "Arn": attributes["QueueArn"]}]
    events.put_targets(Rule=queue, EventBusName=bus, Targets=targets)
    return queue
