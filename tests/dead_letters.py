"""Dead letters as they come to be: by EventBridge, by a consumer, by a relay, by SQS, by Lambda."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.outbox import OutboxRecord
from operations.dlq.choice import Choice, Tally
from operations.dlq.outgoing import Outgoing
from operations.dlq.rate_limiter import RateLimiter
from operations.dlq.redriving import QueueRedrive
from operations.sources.dead_letters import DeadLetter, EventInside, read
from operations.sources.origins import BackToQueue, Destination
from runtime.batches import Limits
from runtime.errors import Unavailable
from tests.builders import ACCOUNT, an_envelope

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


LIMITS = Limits(entries=10, total_bytes=1_000_000)


class Killed(BaseException):
    """The end of the process, at whatever step it strikes."""


@dataclass
class World:
    """A dead-letter queue, a destination and a trail in memory; `steps` until it is killed.

    The queue gives out ten of a group at a time if it is a FIFO one. `refuses` are message ids
    that the destination takes never; `journal` is what happened, in order.
    """

    dead_letters: list[DeadLetter]
    fifo: bool = False
    steps: int = 1_000_000
    refuses: set[str] = field(default_factory=set)
    away_after: int = 1_000_000
    arrived: list[str] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    journal: list[tuple[str, str]] = field(default_factory=list)
    batches: list[list[str]] = field(default_factory=list)
    undeletable: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    limits: Limits = LIMITS

    def _step(self, what: str, message_ids: Iterable[str]) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise Killed
        self.journal += [(what, each) for each in message_ids]

    # what a Hold does

    def take(self, most: int) -> list[DeadLetter]:
        self._step("take", ())
        free = [each for each in self.dead_letters if each.message_id not in self.held]
        if self.fifo:
            busy = {each.group for each in self.dead_letters if each.message_id in self.held}
            heads: dict[str | None, list[DeadLetter]] = {}
            for each in free:
                if each.group not in busy:
                    heads.setdefault(each.group, []).append(each)
            free = [each for group in heads.values() for each in group[:10]]
        taken = free[:most]
        self.held |= {each.message_id for each in taken}
        return taken

    def renew(self) -> None: ...

    def release(self, message_ids: Iterable[str]) -> None:
        self.held -= set(message_ids)

    def delete(self, message_ids: Sequence[str]) -> list[str]:
        self._step("delete", message_ids)
        gone = set(message_ids) - self.undeletable
        self.dead_letters = [each for each in self.dead_letters if each.message_id not in gone]
        self.held -= gone
        return [each for each in message_ids if each in self.undeletable]

    # what a Sender does

    def send(self, batch: Sequence[Outgoing]) -> list[str | None]:
        message_ids = [each.dead_letter.message_id for each in batch]
        if len(self.batches) >= self.away_after:
            raise Unavailable("SQS", "away")
        self._step("send", message_ids)
        self.batches.append(message_ids)
        self.arrived += [each for each in message_ids if each not in self.refuses]
        return ["Throttled: later" if each in self.refuses else None for each in message_ids]

    # what a Trail does

    def line(self, dead_letter: DeadLetter, outcome: str, **more: Any) -> dict[str, Any]:
        return {"messageId": dead_letter.message_id, "outcome": outcome, **more}

    def write(self, lines: Iterable[dict[str, Any]]) -> None:
        made = list(lines)
        self._step("write", [each["messageId"] for each in made])
        self.lines += made

    def redrive(
        self,
        choice: Choice | None = None,
        *,
        most: int = 10_000,
        destination: Destination | None = None,
        rate: float = 1e9,
    ) -> Tally:
        return QueueRedrive(
            self,
            queue="dlq",
            destination=destination or BackToQueue("work"),
            sender=self,
            trail=self,
            rate_limiter=a_pace(rate),
        ).run(choice or Choice(), most)

    @property
    def left(self) -> list[str]:
        return [each.message_id for each in self.dead_letters]


def a_pace(rate: float) -> RateLimiter:
    """A rate limit whose time passes only while it waits."""
    clock = [0.0]

    def wait(seconds: float) -> None:
        clock[0] += seconds

    return RateLimiter(rate, now=lambda: clock[0], wait=wait)


def dead_letters_of(*counts: tuple[str, int]) -> Iterator[DeadLetter]:
    """So many dead letters of each aggregate, in turns."""
    for sequence in range(1, max(count for _, count in counts) + 1):
        for aggregate_id, count in counts:
            if sequence <= count:
                yield a_dead_letter(aggregate_id, sequence)


def read_by(origin: Any, body: str, attributes: Mapping[str, str] | None = None) -> DeadLetter:
    message: Any = a_message(body, attributes)
    return read(message, origin)
