"""Facts about AWS, held against an engine; of what is in memory as well, one fixture for both.

`pytest tests/integration/conformance --aws=localstack` names the engine: `make conformance`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import uuid4

import pytest

from infra.arns import Arns
from infra.local import provision
from infra.local_queues import render_queues
from infra.resources import Domain, Queue, RedrivePolicy, Rule, ToBus, ToQueue
from infra.topology import TOPOLOGY, Topology
from runtime.aws import CachingAws
from tests.conftest import MiniStack
from tests.facts import fake_of, pytest_pyfunc_call  # noqa: F401  (the second is a hook)
from tests.integration.conformance.account import Account
from tests.memory_buses import Event, MemoryBuses
from tests.memory_queues import MemorySqs
from verification.testkit.waiting import eventually

VISIBILITY, MAX_RECEIVES = 1, 3
"""Seconds and receives of the queues under test: a real client waits for both."""


PATIENCE, IMPATIENCE = 30.0, 3.0
"""Seconds for what has to come, and for what is declared not to."""


@pytest.fixture
def account(emulator: MiniStack, request: pytest.FixtureRequest) -> Account:
    patience = PATIENCE if fake_of(request.node) is None else IMPATIENCE
    return Account(emulator.endpoint, emulator.region, patience)


@dataclass(frozen=True)
class Queues:
    """A client, and a work queue with its dead-letter queue.

    `until` has time pass until a condition is met: the clock of the memory's, or the world's.
    """

    sqs: Any
    url: str
    dlq_url: str
    until: Callable[[Callable[[], bool]], object]

    def send(self, *bodies: str, group: str | None = None) -> None:
        for body in bodies:
            names: dict[str, str] = {}
            if group is not None:
                names = {"MessageGroupId": group, "MessageDeduplicationId": body}
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **names)

    def receive(self, most: int = 10, *, dead: bool = False) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(
            QueueUrl=self.dlq_url if dead else self.url,
            MaxNumberOfMessages=most,
            WaitTimeSeconds=0,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    def received_in_time(self) -> list[dict[str, Any]]:
        """Wait until a receive finds something, and return that."""
        found: list[dict[str, Any]] = []

        def finds() -> bool:
            found.extend(self.receive())
            return bool(found)

        self.until(finds)
        return found

    def delete(self, *messages: Mapping[str, Any]) -> None:
        entries = [
            {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
            for index, message in enumerate(messages)
        ]
        answer = self.sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)
        assert not answer.get("Failed")

    def show_in(self, seconds: int, message: Mapping[str, Any]) -> None:
        self.sqs.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
        )


@dataclass
class Clock:
    """The memory's time, in seconds."""

    now: float = 0.0

    def until(self, condition: Callable[[], bool]) -> None:
        end = self.now + 10
        while not condition():
            assert self.now < end, "not within 10 s"
            self.now += 0.25


def bodies(messages: list[dict[str, Any]]) -> list[str]:
    return [message["Body"] for message in messages]


def _resources(suffix: str) -> tuple[Queue, Queue]:
    name = f"work-{uuid4().hex[:8]}"
    work = Queue(
        f"{name}{suffix}",
        visibility_timeout=VISIBILITY,
        redrive=RedrivePolicy(f"{name}-dlq{suffix}", MAX_RECEIVES),
    )
    return work, Queue(f"{name}-dlq{suffix}", retention=work.retention)


def _in_memory(suffix: str) -> Queues:
    clock = Clock()
    work, dlq = _resources(suffix)
    sqs = MemorySqs((work, dlq), now=lambda: clock.now)
    return Queues(sqs, work.name, dlq.name, clock.until)


def _emulated(emulator: MiniStack, suffix: str) -> Queues:
    aws = CachingAws(region=emulator.region, endpoint_url=emulator.endpoint)
    work, dlq = _resources(suffix)
    topology = Topology((Domain("test", queues=(work, dlq)),))
    sqs = aws.client("sqs")
    render_queues(sqs, topology, Arns.in_one_account(topology, "000000000000", emulator.region))
    url, dlq_url = (sqs.get_queue_url(QueueName=each.name)["QueueUrl"] for each in (work, dlq))

    def until(condition: Callable[[], bool]) -> None:
        eventually(condition, what="the queue", every=0.1)

    return Queues(sqs, url, dlq_url, until)


def _queues(request: pytest.FixtureRequest, suffix: str) -> Queues:
    if request.param == "memory":
        return _in_memory(suffix)
    return _emulated(request.getfixturevalue("emulator"), suffix)


@pytest.fixture(params=["memory", "emulated"])
def standard(request: pytest.FixtureRequest) -> Queues:
    return _queues(request, "")


@pytest.fixture(params=["memory", "emulated"])
def fifo(request: pytest.FixtureRequest) -> Queues:
    return _queues(request, ".fifo")


@dataclass
class Routed:
    """The topology's buses, and what the bodies are that reached its queues."""

    events: Any
    sqs: Any

    def arrived(self) -> dict[str, list[str]]:
        """Take what is in the work queues: queue → bodies."""
        found: dict[str, list[str]] = {}
        for queue in TOPOLOGY.queues:
            url = self.sqs.get_queue_url(QueueName=queue.name)["QueueUrl"]
            while messages := self.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0
            ).get("Messages"):
                found.setdefault(queue.name, []).extend(each["Body"] for each in messages)
                for message in messages:
                    self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found


@dataclass
class Memory:
    """Buses that deliver at once to queues of the same topology."""

    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.sqs = MemorySqs(TOPOLOGY.queues, now=lambda: self.clock.now)
        self.events = MemoryBuses(TOPOLOGY, self._deliver)

    def _deliver(self, rule: Rule, event: Event) -> None:
        match rule.target:
            case ToBus(bus):
                self.events.accept(bus, event)
            case ToQueue(queue):
                self.sqs.send_message(QueueUrl=queue, MessageBody=event.to_json())
            case _:
                pass


@pytest.fixture(scope="module")
def emulated(emulator: MiniStack) -> Routed:
    # LocalStack has no region that AWS does not have.
    aws = CachingAws(region="sa-east-1", endpoint_url=emulator.endpoint)
    provision(aws)
    return Routed(aws.client("events"), aws.client("sqs"))


@pytest.fixture(params=["memory", "emulated"])
def routed(request: pytest.FixtureRequest) -> Routed:
    if request.param == "memory":
        memory = Memory()
        return Routed(memory.events, memory.sqs)
    return cast("Routed", request.getfixturevalue("emulated"))
