"""A redrive is killed with -9 between any two of its steps, and nothing is lost."""

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from local.child import signal_child
from tests.dead_letters import a_record_body, an_event, by_eventbridge
from tests.integration.operated import Operated
from verification.testkit.fault_proxy import Where
from verification.testkit.waiting import eventually


@pytest.fixture(scope="module")
def system(operated_system: Operated) -> Operated:
    operated_system.hold_seconds = 2
    return operated_system


@dataclass(frozen=True)
class Way:
    """A dead-letter queue, where its letters belong, and the call that sends them there."""

    dlq: str
    work: str
    sends: str
    body: Callable[[str, int], str]
    attributes: dict[str, str] | None = None


TO_QUEUE = Way("payment-cancelled-dlq", "stock-payment-cancelled", "SendMessageBatch", an_event)
TO_FIFO = Way("payment-events-dlq.fifo", "payment-events.fifo", "SendMessageBatch", a_record_body)
TO_BUS = Way(
    "subscriptions-to-stock-dlq",
    "stock-subscription-created",  # where the stock bus's own rule delivers it
    "PutEvents",
    an_event,
    by_eventbridge(),
)


def ids_of(bodies: list[str]) -> list[str]:
    def event_id(document: dict[str, Any]) -> str:
        detail = document["detail"]
        return str(
            detail["metadata"]["eventId"] if isinstance(detail, dict) else document["eventId"]
        )

    return [event_id(json.loads(body)) for body in bodies]


@pytest.mark.parametrize(
    ("way", "where", "operation"),
    [
        (TO_QUEUE, "before", "SendMessageBatch"),
        (TO_QUEUE, "after", "SendMessageBatch"),
        (TO_QUEUE, "before", "DeleteMessageBatch"),
        (TO_QUEUE, "after", "DeleteMessageBatch"),
        (TO_FIFO, "after", "SendMessageBatch"),
        (TO_FIFO, "before", "DeleteMessageBatch"),
        (TO_BUS, "after", "PutEvents"),
        (TO_BUS, "before", "DeleteMessageBatch"),
    ],
    ids=lambda value: value.dlq if isinstance(value, Way) else str(value),
)
def test_a_redrive_that_is_killed_loses_nothing(
    system: Operated, way: Way, where: Where, operation: str
) -> None:
    """Every letter is in its queue or where it belongs, and running it again brings the rest."""
    system.empty([way.dlq, way.work])
    system.audit_file.unlink(missing_ok=True)
    expected = {f"{name}-{n}" for name in "abc" for n in range(1, 7)}
    for name in "abc":
        group = name if way is TO_FIFO else ""
        bodies = [way.body(name, n) for n in range(1, 7)]
        system.send(way.dlq, *bodies, attributes=way.attributes, group=group)
    redrive = ("dlq", "redrive", "--queue", way.dlq, "--all", "--rate", "500")

    system.gate.hold(where, operation, passing=2)
    with system.command(*redrive) as command:
        system.gate.reached(where, operation)
        signal_child(command, signal.SIGKILL)
        assert command.wait() == -signal.SIGKILL
    system.gate.drop()
    eventually(lambda: not system.depth(way.dlq)[1], what="what it held is seen again")

    arrived = ids_of(system.drain(way.work))
    visible, _ = system.depth(way.dlq)
    assert 6 <= len(set(arrived)) < len(expected)
    assert visible >= len(expected) - len(set(arrived))
    written = {line["eventId"] for line in system.trail()}
    assert len(expected) - visible <= len(written)
    assert written <= {*arrived}

    code, _ = system.ask(*redrive)
    arrived += ids_of(system.drain(way.work))
    assert code == 0
    assert set(arrived) == expected
    assert system.depth(way.dlq) == (0, 0)
