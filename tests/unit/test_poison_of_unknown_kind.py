"""Errors that are in no list: held while all meet them, the message's own where others pass."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from runtime.errors import Unavailable
from runtime.passed import Passed, note
from runtime.process.shutdown import Stop
from runtime.retry import UNKNOWN_STRIKES
from runtime.sqs.consumer import Consumer
from runtime.verdicts import Family
from tests.consuming import QUEUES, messages_of
from tests.memory_queues import MemorySqs
from tests.threads import beside
from verification.testkit.waiting import eventually

CALL = "TransactWriteItems"


def unknown(call: str = CALL) -> Unavailable:
    return Unavailable("DynamoDB", "NobodyKnowsThis", Family.UNKNOWN, call=call)


class Work:
    """Handles all bodies but those that `fails` says something of; every read passes."""

    def __init__(self, fails: Callable[[str], bool]) -> None:
        self._fails = fails
        self.tried: list[str] = []
        self.handled: list[str] = []

    def handle(self, body: str) -> None:
        self.tried.append(body)
        note("DynamoDB", "GetItem")
        if self._fails(body):
            raise unknown()
        note("DynamoDB", CALL)
        self.handled.append(body)

    def is_permanent(self, error: Exception) -> bool:
        return False


class HurriedStop(Stop):
    """Waits for nothing but says how long it should have; each wait lets another act."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    def wait(self, seconds: float | None = None) -> bool:
        self._meanwhile()
        return self.requested


@pytest.fixture
def sqs() -> MemorySqs:
    clock = iter(range(0, 10**9, 1000))
    return MemorySqs(QUEUES, now=lambda: float(next(clock)))


def test_what_all_messages_meet_is_held_however_long(sqs: MemorySqs) -> None:
    """Reads pass and commits do not: a hundred tries bury nothing, and cost one receive."""
    waits: list[int] = []
    work = Work(lambda _: len(waits) < 100)
    found = messages_of(sqs, work, stop=HurriedStop(lambda: waits.append(1)))
    sqs.send_message(QueueUrl="work", MessageBody="good")
    (message,) = found.receive(1)
    assert found.settle(message)
    assert work.handled == ["good"]
    assert len(work.tried) == 101
    assert not sqs.queues["work-dlq"].messages


def test_what_one_message_meets_alone_ends_in_the_dead_letter_queue(sqs: MemorySqs) -> None:
    """Others are handled between its tries: it goes back each time, and at last is set aside."""
    work = Work(lambda body: body == "poison")

    def meanwhile() -> None:
        other = {"MessageId": "o", "ReceiptHandle": "o", "Body": "good"}
        found.settle(cast("Any", other))

    found = messages_of(sqs, work, stop=HurriedStop(meanwhile))
    sqs.send_message(QueueUrl="work", MessageBody="poison")
    outcomes = [found.settle(found.receive(1)[0]) for _ in range(5)]
    assert outcomes == [False, False, False, False, True]
    assert work.tried.count("poison") == 5 * (1 + UNKNOWN_STRIKES)
    (letter,) = sqs.queues["work-dlq"].messages
    assert (letter.body, letter.error_type) == ("poison", "Unavailable")
    text = letter.attributes["errorMessage"]["StringValue"]
    assert text == "DynamoDB is unavailable: NobodyKnowsThis"


def test_one_that_passed_before_an_outage_speaks_against_no_message(sqs: MemorySqs) -> None:
    """Others pass once, and then nothing does for long: it is held, and handled in the end."""
    waits: list[int] = []
    work = Work(lambda _: len(waits) < 100)

    def meanwhile() -> None:
        waits.append(1)
        if len(waits) < UNKNOWN_STRIKES:
            with found._passed.noting():
                note("DynamoDB", CALL)

    found = messages_of(sqs, work, stop=HurriedStop(meanwhile))
    sqs.send_message(QueueUrl="work", MessageBody="good")
    assert found.settle(found.receive(1)[0])
    assert work.handled == ["good"]


def test_what_others_get_over_is_held_however_many_pass(sqs: MemorySqs) -> None:
    """A server is overloaded: it refuses one or the other, each of which passes later."""
    tries = Counter[str]()

    def fails(body: str) -> bool:
        tries[body] += 1
        return tries[body] <= (100 if body == "unlucky" else 1)

    def meanwhile() -> None:
        if tries["unlucky"] and tries["unlucky"] > handled["others"]:
            handled["others"] += 1
            other = {"MessageId": "o", "ReceiptHandle": "o", "Body": f"other {tries['unlucky']}"}
            assert found.settle(cast("Any", other))

    work, handled = Work(fails), Counter[str]()
    found = messages_of(sqs, work, stop=HurriedStop(meanwhile))
    sqs.send_message(QueueUrl="work", MessageBody="unlucky")
    assert found.settle(found.receive(1)[0])
    assert len(work.handled) == 101
    assert not sqs.queues["work-dlq"].messages


def test_another_call_that_passes_speaks_against_no_message() -> None:
    """A read that passes does not say that commits do; each counts once for each message."""
    passed = Passed()
    with passed.noting():
        note("DynamoDB", "GetItem")
        note("DynamoDB", "GetItem")
    assert passed.count(("DynamoDB", "GetItem")) == 1
    assert passed.count(("DynamoDB", CALL)) == 0


class EndlessSqs(MemorySqs):
    """Queues of which a receive waits a moment where there is nothing."""

    def __init__(self) -> None:
        super().__init__(QUEUES, now=lambda: 0.0)
        self._lock = threading.Lock()
        self.stop = Stop()

    def receive_message(self, **request: Any) -> dict[str, list[dict[str, Any]]]:
        with self._lock:
            answer = super().receive_message(**request)
        if not answer:
            self.stop.wait(0.02)
        return answer


@pytest.fixture
def endless() -> Iterator[EndlessSqs]:
    sqs = EndlessSqs()
    yield sqs
    sqs.stop.request()


@pytest.mark.parametrize("poison", [1, 4, 20])
def test_poison_on_every_thread_does_not_stop_a_queue(endless: EndlessSqs, poison: int) -> None:
    """As many messages as there are threads, or more, each met by an unknown error: others pass."""
    work = Work(lambda body: body == "poison")
    for _ in range(poison):
        endless.send_message(QueueUrl="work", MessageBody="poison")
    for number in range(30):
        endless.send_message(QueueUrl="work", MessageBody=f"good {number}")
    consumer = Consumer(messages_of(endless, work, stop=endless.stop), concurrency=4)
    with beside(consumer.run, endless.stop.request):
        eventually(lambda: len(work.handled) == 30, timeout=20, what="all good messages")
