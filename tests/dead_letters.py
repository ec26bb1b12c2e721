"""Dead letters as they come to be: by EventBridge, by a consumer, by a relay, by SQS, by Lambda."""

# ruff: noqa: N803 (the names are boto3's)

import json
import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from contracts.outbox import OutboxRecord
from infra.resources import Queue
from operations.dlq.choice import Choice, Tally
from operations.dlq.rate_limiter import RateLimiter
from operations.dlq.redriving import QueueRedrive
from operations.dlq.senders import WorkQueueSender
from operations.dlq.trail import Trail
from operations.sources.dead_letters import DeadLetter, EventInside, read
from operations.sources.lease import Lease, Opened
from operations.sources.origins import BackToQueue, Origin
from runtime.errors import Unavailable
from runtime.verdicts import Family
from tests.builders import ACCOUNT, an_envelope
from tests.memory_queues import MemorySqs

RULE = f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/subscriptions-event-bus/SubscriptionToStockRule"
TARGET = f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/stock-event-bus"


def by_eventbridge(
    rule: str = RULE, target: str = TARGET, code: str = "NO_PERMISSIONS"
) -> dict[str, str]:
    """The attributes that AWS documents for what a rule could not deliver."""
    return {
        "RULE_ARN": rule,
        "TARGET_ARN": target,
        "ERROR_CODE": code,
        "ERROR_MESSAGE": "The permissions are missing.",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "RETRY_ATTEMPTS": "185",
    }


def as_attributes(values: Mapping[str, str]) -> dict[str, Any]:
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}


def a_message(
    body: str, attributes: Mapping[str, str] | None = None, **system: str
) -> dict[str, Any]:
    """A message as ReceiveMessage gives it."""
    return {
        "MessageId": "0d2c3f6e-55e2-4c0b-9f0e-8a1f1a2b3c4d",
        "ReceiptHandle": "handle",
        "Body": body,
        "Attributes": {
            "SentTimestamp": "1795426200000",
            "ApproximateReceiveCount": "2",
            **system,
        },
        "MessageAttributes": as_attributes(attributes or {}),
    }


def an_event(aggregate_id: str, sequence: int, *, event_type: str = "SubscriptionCreated") -> str:
    """A body as EventBridge hands it to a queue."""
    detail = {
        "accountNumber": "12345678",
        "accountName": "Ada Lovelace",
        "metadata": {
            "eventId": f"{aggregate_id}-{sequence}",
            "aggregateId": aggregate_id,
            "sequence": sequence,
        },
    }
    return json.dumps(an_envelope(detail, detail_type=event_type, source="app.subscriptions"))


def a_record_body(aggregate_id: str, sequence: int) -> str:
    return OutboxRecord(
        aggregate_id=aggregate_id,
        sequence=sequence,
        event_id=f"{aggregate_id}-{sequence}",
        event_type="PaymentCancelled",
        source="app.payments",
        occurred_at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
        detail=json.dumps({"aggregate": aggregate_id, "sequence": sequence}),
        correlation_id="request-1",
    ).to_json()


BATCH_GIVEN_UP = json.dumps(
    {
        "requestContext": {"condition": "RetryAttemptsExhausted"},
        "DDBStreamBatchInfo": {"shardId": "shard-1", "batchSize": 3},
    }
)
"""What Lambda sends to an on-failure destination; shortened."""


def a_dead_letter(aggregate_id: str, sequence: int, **changes: Any) -> DeadLetter:
    values: dict[str, Any] = {
        "queue": "dlq",
        "message_id": f"{aggregate_id}-{sequence}",
        "body": an_event(aggregate_id, sequence),
        "attributes": {},
        "putter": "sqs",
        "why": "received 5 times without an end",
        "by": "consumer",
        "tries": 5,
        "sent_at": datetime(2026, 11, 23, 9, 30, tzinfo=UTC) + timedelta(seconds=sequence),
        "receives": 1,
        "group": None,
        "event": EventInside(
            f"event-{aggregate_id}-{sequence}", "SubscriptionCreated", aggregate_id, sequence
        ),
    }
    return DeadLetter(**values | changes)


class Killed(BaseException):
    """The end of the process, at whatever step it strikes."""


class World(MemorySqs):
    """SQS in memory: bodies in a dead-letter queue, and the work queue that they belong in.

    What happens to a body follows from the event id in it. `steps` are left until the process is
    killed: each is a call, or a write to the trail, whose lines are kept here. Ids in `refuses`
    are never taken by the work queue, those in `undeletable` never deleted. It first `throttles` so
    many calls, and never answers one that it took where it `loses_answers`.
    """

    def __init__(
        self,
        bodies: Iterable[str],
        *,
        fifo: bool = False,
        refuses: Container[str] = (),
        undeletable: Container[str] = (),
        away_after: int = 1_000_000,
        throttles: int = 0,
        loses_answers: bool = False,
    ) -> None:
        dlq, work = (Queue(name + (".fifo" if fifo else "")) for name in ("dlq", "work"))
        self.origin = Origin(dlq.name, "stock", BackToQueue(work.name), tries=5)
        self.time, self.steps, self.away_after = 0.0, 1_000_000, away_after
        self._refuses, self._undeletable = refuses, undeletable
        self._throttles, self._loses_answers = throttles, loses_answers
        self.lines: list[dict[str, Any]] = []
        self.journal: list[tuple[str, str]] = []
        self.batches: list[list[str]] = []
        super().__init__([dlq, work], now=lambda: self.time)
        for number, body in enumerate(bodies):
            group = str(read_by(self.origin, body).event.aggregate_id)
            ids: Any = {"MessageGroupId": group, "MessageDeduplicationId": str(number)}
            self.send_message(QueueUrl=dlq.name, MessageBody=body, **ids)

    def step(self, what: str, events: Iterable[str]) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise Killed
        self.journal += [(what, each) for each in events]

    def receive_message(self, **request: Any) -> dict[str, Any]:
        self.step("take", ())
        return super().receive_message(**request)

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[Any]) -> dict[str, Any]:
        if len(self.batches) >= self.away_after:
            raise Unavailable("SQS", "away")
        if self._throttles:
            self._throttles -= 1
            raise Unavailable("SQS", "ThrottlingException", Family.THROTTLED)
        events = {each["Id"]: self.event_in(each["MessageBody"]) for each in Entries}
        self.step("send", events.values())
        self.batches.append([*events.values()])
        good = [each for each in Entries if events[each["Id"]] not in self._refuses]
        bad = [{"Id": id_} for id_, event in events.items() if event in self._refuses]
        answer = super().send_message_batch(QueueUrl=QueueUrl, Entries=good)
        if self._loses_answers:
            raise Unavailable("SQS", "ReadTimeoutError", is_lost=True)
        refusal = {"Code": "Throttled", "Message": "later"}
        return {**answer, "Failed": [each | refusal for each in bad]}

    def delete_message_batch(self, *, QueueUrl: str, Entries: Sequence[Any]) -> dict[str, Any]:
        held = {each.handle: self.event_in(each.body) for each in self.queues[QueueUrl].messages}
        events = {each["Id"]: held[each["ReceiptHandle"]] for each in Entries}
        self.step("delete", events.values())
        good = [each for each in Entries if events[each["Id"]] not in self._undeletable]
        super().delete_message_batch(QueueUrl=QueueUrl, Entries=good)
        return {"Failed": [each for each in Entries if each not in good]}

    def redrive(
        self, choice: Choice | None = None, *, most: int = 10_000, rate: float = 1e9
    ) -> Tally:
        """Redrive, and release nothing at the end: who is killed does not."""
        client: Any = self
        with TrailOf(self, "redrive") as trail:
            return QueueRedrive(
                self.lease(),
                queue=self.origin.dlq,
                destination=self.origin.destination,
                sender=WorkQueueSender(client, self.work, uuid4().hex),
                trail=trail,
                rate_limiter=a_pace(rate),
            ).run(choice or Choice(), most)

    def lease(self) -> Lease:
        client: Any = self
        return Lease(Opened(self.origin, client, self.origin.dlq, 0, 30))

    def event_in(self, body: str) -> str:
        return read_by(self.origin, body).event.event_id or body

    @property
    def work(self) -> str:
        return self.origin.dlq.replace("dlq", "work")

    @property
    def left(self) -> list[str]:
        return [self.event_in(each.body) for each in self.queues[self.origin.dlq].messages]

    @property
    def arrived(self) -> list[str]:
        return [self.event_in(each.body) for each in self.queues[self.work].messages]

    @property
    def hidden(self) -> list[str]:
        messages = self.queues[self.origin.dlq].messages
        return [self.event_in(each.body) for each in messages if each.shown_at > self.time]


class TrailOf(Trail):
    """A trail whose lines are kept in a world, each write a step of it."""

    def __init__(self, world: World, operation: str) -> None:
        super().__init__(Path(os.devnull), operation)
        self._world = world

    def write(self, lines: Iterable[Mapping[str, Any]]) -> None:
        made = [dict(each) for each in lines]
        self._world.step("write", [each["eventId"] for each in made])
        self._world.lines += made


def a_pace(rate: float) -> RateLimiter:
    """A rate limit whose time passes only while it waits."""
    clock = [0.0]

    def wait(seconds: float) -> None:
        clock[0] += seconds

    return RateLimiter(rate, now=lambda: clock[0], wait=wait)


def turns(*counts: tuple[str, int]) -> Iterator[tuple[str, int]]:
    """So many events of each aggregate, in turns."""
    for sequence in range(1, max(count for _, count in counts) + 1):
        for aggregate_id, count in counts:
            if sequence <= count:
                yield aggregate_id, sequence


def read_by(origin: Any, body: str, attributes: Mapping[str, str] | None = None) -> DeadLetter:
    message: Any = a_message(body, attributes)
    return read(message, origin)
