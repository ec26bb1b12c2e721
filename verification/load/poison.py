"""Poison among good messages: each comes to its own end, and the good ones are hardly slower."""

import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from contracts.causes import Cause
from contracts.names import EventType, Source
from contracts.timestamps import format_timestamp
from runtime.ids import new_event_id, utc_now
from runtime.sqs.queue import delete_batch, find_url
from verification.load.queues import depth, send_all
from verification.load.report import LoadReport
from verification.testkit.engines import Engines
from verification.testkit.launcher import LaunchedProcess
from verification.testkit.waiting import wait_until

QUEUE = "stock-subscription-created"
DLQ = "subscriptions-created-dlq"

SLOWER = 1.25
"""How much longer a message may take where one in eleven is poison. A poison one costs a call to
SQS, as a good one costs a transaction; the rest is chance."""

PUZZLING = 5
"""Messages that fail for an unknown reason."""

BACK_OFF = 7.0
"""Seconds, at least, between a message's first and fifth receive: half of 1 + 2 + 4 + 8."""


@dataclass
class QueueLoad:
    """Bodies for a queue, and what must become of them."""

    good: list[str] = field(default_factory=list)
    """Subscriptions that get their stock."""
    bodies: list[str] = field(default_factory=list)
    poison: dict[str, str] = field(default_factory=dict)
    """By body, the errorType that it must have in the dead-letter queue."""


def run(engines: Engines, good: int, poison: int, *, slower: float = SLOWER) -> LoadReport:
    """Drain two queues of the same depth side by side, one of which holds poison.

    Each has a real consumer of its own. Side by side, the emulator's slowness at depth and whatever
    else the machine does meanwhile slow both of them.
    """
    report = LoadReport(
        f"Poison: {poison:,} messages among {good:,} good ones",
        f"make load RUN=poison GOOD={good} POISON={poison}",
    )
    mixed, twin = a_load(good, poison), a_load(good + poison, 0)
    twin_queue = _twin_queue(engines)
    with _consuming(engines, QUEUE) as consumer, _consuming(engines, twin_queue) as other:
        with consumer.paused(), other.paused():  # so that they set out together
            send_all(engines, QUEUE, mixed.bodies)
            send_all(engines, twin_queue, twin.bodies)
        rates = _race(engines, QUEUE, twin_queue)
        peaks = consumer.peak_megabytes, other.peak_megabytes
    ratio = rates[1] / rates[0]
    report.numbers |= {
        "messages per second, with poison": f"{rates[0]:,.1f}",
        "messages per second side by side, all good": f"{rates[1]:,.1f}",
        "peak memory, with poison and without": f"{peaks[0]:.0f} and {peaks[1]:.0f} MB",
    }
    report.promise(
        f"a message takes no more than {slower} times as long among poison",
        f"{ratio:.2f} times",
        holds=ratio < slower,
    )
    dead_letters = _dead_letters(engines)
    by_reason = Counter(error_type for error_type, _ in dead_letters.values())
    for error_type, count in sorted(by_reason.items()):
        report.numbers[f"dead-lettered as {error_type}"] = str(count)
    wrong = {
        body: found
        for body, found in mixed.poison.items()
        if dead_letters.get(body, ("missing", ""))[0] != found or not dead_letters[body][1]
    }
    report.promise(
        "every poison message is in the DLQ with its reason",
        f"{len(wrong)} are not",
        holds=not wrong,
    )
    others = dead_letters.keys() - mixed.poison.keys()
    report.promise("no good one is", f"{len(others)} are", holds=not others)
    missing = sum(len(each.good) - _allocated(engines, each.good) for each in (mixed, twin))
    report.promise("every good one has its stock", f"{missing} have none", holds=not missing)
    _back_off(engines, report)
    return report


def a_load(good: int, poison: int) -> QueueLoad:
    """Shuffled messages, of every kind that is poison at once."""
    load = QueueLoad()
    for _ in range(good):
        load.good.append(str(uuid4()))
        load.bodies.append(_event(load.good[-1]))
    for number in range(poison):
        kind, body = _poison(number)
        load.poison[body] = kind
        load.bodies.append(body)
    random.Random(1).shuffle(load.bodies)  # noqa: S311 (a load run, the same each time)
    return load


def _poison(number: int) -> tuple[str, str]:
    """The errorType that must be found, and a body that no other has."""
    unique = str(uuid4())
    kinds = (
        ("NotAnEvent", f"not JSON {unique}"),
        ("NotAnEvent", json.dumps({"detail": unique})),
        ("UnexpectedEvent", _event(unique, detail_type=EventType.STOCK_ALLOCATED)),
        ("SchemaViolation", _event(unique, quantity=11)),
        ("SchemaViolation", _event(unique, quantity="two")),
        ("EventTooLarge", _event(unique, correlation_id="x" * 500_000)),
    )
    # The last is refused by what is decided, not by what is read; it is half a megabyte.
    small = kinds[:-1]
    return kinds[-1] if number % 100 == 0 else small[number % len(small)]


def _event(
    subscription_id: str,
    *,
    quantity: Any = 2,
    detail_type: EventType = EventType.SUBSCRIPTION_CREATED,
    correlation_id: str = "load",
) -> str:
    """An event as EventBridge hands it to the queue."""
    now = utc_now()
    metadata = Cause(correlation_id=correlation_id).metadata(
        event_id=new_event_id(), aggregate_id=subscription_id, sequence=1, occurred_at=now
    )
    detail = {
        "subscriptionId": subscription_id,
        "quantity": quantity,
        "metadata": metadata.model_dump(mode="json", by_alias=True),
    }
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid4()),
            "detail-type": detail_type,
            "source": Source.SUBSCRIPTIONS,
            "account": "000000000000",
            "time": f"{format_timestamp(now)[:19]}Z",
            "region": "eu-west-1",
            "resources": [],
            "detail": detail,
        }
    )


def _race(engines: Engines, *queues: str) -> list[float]:
    """Messages per second of each queue, until the first is empty; then drain the others, too."""
    before = [depth(engines, queue) for queue in queues]
    started = time.monotonic()
    patience = 60 + sum(before) / 10
    wait_until(lambda: not all(depth(engines, each) for each in queues), within=patience)
    seconds = time.monotonic() - started
    rates = [
        (messages - depth(engines, each)) / seconds
        for messages, each in zip(before, queues, strict=True)
    ]
    wait_until(lambda: not any(depth(engines, each) for each in queues), within=patience)
    return rates


def _consuming(engines: Engines, queue: str) -> AbstractContextManager[LaunchedProcess]:
    """The real stock consumer, of that queue."""
    settings = {"QUEUE_WAIT_SECONDS": "1", "SUBSCRIPTION_CREATED_QUEUE": queue}
    return engines.running("stock-consumer", settings)


def _twin_queue(engines: Engines) -> str:
    """Make a queue with the settings of the one that gets the poison; its name."""
    sqs: Any = engines.aws.client("sqs")
    name = f"load-twin-{uuid4().hex[:8]}"
    url = find_url(sqs, QUEUE)
    wanted = ["RedrivePolicy", "VisibilityTimeout"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
    sqs.create_queue(QueueName=name, Attributes={each: attributes[each] for each in wanted})
    return name


def _back_off(engines: Engines, report: LoadReport) -> None:
    """Poison that looks like a bug: it may pass, so it is tried until the last receive.

    Rows that a bad deploy may have written: no reader understands them.
    """
    puzzling = [str(uuid4()) for _ in range(PUZZLING)]
    dynamodb: Any = engines.aws.client("dynamodb")
    for each in puzzling:
        item = {"subscriptionId": {"S": each}, "status": {"S": "borrowed"}}
        dynamodb.put_item(TableName="stock", Item=item)
    load = a_load(20 * PUZZLING, 0)
    bodies = [_event(each) for each in puzzling]
    load.bodies += bodies
    random.Random(2).shuffle(load.bodies)  # noqa: S311 (a load run, the same each time)
    send_all(engines, QUEUE, load.bodies)
    started = time.monotonic()
    with _consuming(engines, QUEUE):
        wait_until(lambda: not depth(engines, QUEUE), within=120)
    seconds = time.monotonic() - started
    dead_letters = _dead_letters(engines)
    right = [
        body for body in bodies if dead_letters.get(body, ("", ""))[0] in {"KeyError", "ValueError"}
    ]
    missing = len(load.good) - _allocated(engines, load.good)
    report.promise(
        "what fails for an unknown reason is tried again, and then in the DLQ with its reason",
        f"{len(right)} of {PUZZLING} after {seconds:.0f} s, {missing} of their neighbours missing",
        holds=len(dead_letters) == len(right) == PUZZLING and not missing and seconds > BACK_OFF,
    )


def _dead_letters(engines: Engines) -> dict[str, tuple[str, str]]:
    """Take what is in the dead-letter queue: by body, errorType and errorMessage."""
    sqs: Any = engines.aws.client("sqs")
    url = find_url(sqs, DLQ)
    found: dict[str, tuple[str, str]] = {}
    while messages := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages"):
        for message in messages:
            error_type, error_message = (
                message.get("MessageAttributes", {}).get(name, {}).get("StringValue", "")
                for name in ("errorType", "errorMessage")
            )
            found[message["Body"]] = error_type, error_message
        delete_batch(sqs, url, [each["ReceiptHandle"] for each in messages])
    return found


def _allocated(engines: Engines, subscriptions: Sequence[str]) -> int:
    """How many have their stock."""
    dynamodb: Any = engines.aws.client("dynamodb")
    found = 0
    for start in range(0, len(subscriptions), 100):
        keys = [{"subscriptionId": {"S": each}} for each in subscriptions[start : start + 100]]
        answer = dynamodb.batch_get_item(RequestItems={"stock": {"Keys": keys}})
        found += sum(item["status"]["S"] == "allocated" for item in answer["Responses"]["stock"])
    return found
