"""The Lambda functions: what they need, and a sweep that ends in time or fails visibly."""

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import Any

import pytest
from structlog.testing import capture_logs

from infra.local_system.settings import ROOT
from relay.aws_lambda import NothingSwept, publish, sweep, sweep_within
from relay.ports import Failure, RelayAdapters
from runtime.errors import Misconfigured, Unavailable
from runtime.outbox.rows import EVER, Row
from tests.lambda_relay import EVERYTHING, LambdaRelay, rows
from tests.relay_fakes import (
    LazyOutbox,
    MemoryDeadLetters,
    MemoryOutbox,
    MemoryTarget,
    away,
    poison,
    seldom,
)
from tests.stream_events import Remaining

NAMES = ("OUTBOX_TABLE", "EVENT_BUS", "DEAD_LETTER_QUEUE")


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[Any]]:
    """What was logged."""
    with capture_logs() as lines:
        yield lines


def test_the_module_needs_no_environment_to_be_imported() -> None:
    """Lambda imports it before anything can be reported; clients and settings come later."""
    command = [
        sys.executable,
        "-I",
        "-c",
        "import sys; sys.path.insert(0, '.'); import relay.aws_lambda",
    ]
    done = subprocess.run(command, env={}, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("handler", [publish, sweep])
def test_missing_settings_fail_the_invocation(
    handler: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their names, all of them, and once more at the next invocation."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for _ in range(2):
        with pytest.raises(Misconfigured) as refusal:
            handler({"Records": []}, Remaining())
        assert all(name in str(refusal.value) for name in NAMES)


def test_a_timeout_that_leaves_no_time_is_refused() -> None:
    """Answers would come when nothing waits for them any more, and all be sent again."""
    with pytest.raises(Misconfigured, match="timeout of at least 180 s"):
        publish({"Records": []}, Remaining(seconds=60))
    with pytest.raises(Misconfigured, match="timeout of at least 180 s"):
        sweep({}, Remaining(seconds=100))


def test_a_sweep_publishes_what_stayed_and_logs_it(relay_: LambdaRelay, logged: list[Any]) -> None:
    """In order, poison dead-lettered, the outbox empty; the line is the daemons' own.

    The bus takes its time: the sweep waits for the last answer.
    """
    relay_.target.fault = lambda records: threading.Event().wait(0.01)
    relay_.outbox.put(*rows(*((f"a{n % 7}", n // 7 + 1) for n in range(70))), poison("bad", 1))
    relay_.sweep()
    assert not relay_.outbox.rows
    assert len(relay_.target.keys) == 70
    assert all(relay_.target.sequences(f"a{n}") == list(range(1, 11)) for n in range(7))
    assert [aggregate for aggregate, _, _ in relay_.dead_letters.sent] == ["bad"]
    (line,) = [line for line in logged if line["event"] == "swept"]
    assert (line["found"], line["new"]) == (71, 71)
    assert line["oldestAgeSeconds"] >= 0


def test_a_sweep_of_an_empty_outbox_is_soon_over(relay_: LambdaRelay, logged: list[Any]) -> None:
    """It does not wait for its time to pass, and says nothing."""
    since = monotonic()
    relay_.sweep(seconds=60)
    assert monotonic() - since < 50
    assert not logged


def test_a_sweep_stops_in_time() -> None:
    """A backlog for hours: it leaves when its time is over, and what was published was deleted."""
    outbox, target = LazyOutbox(10_000_000, page=500, detail="{}"), MemoryTarget()
    since = monotonic()
    sweep_within(0.5, RelayAdapters(outbox, target, MemoryDeadLetters()), EVERYTHING)
    assert monotonic() - since < 50
    assert 0 < len(outbox.deleted) < 10_000_000
    assert outbox.deleted == set(target.keys)


def test_an_outage_of_the_outbox_fails_a_sweep(relay_: LambdaRelay) -> None:
    """Visibly: nothing could be read, so what stayed is unknown."""
    relay_.outbox.fault = seldom(1, 1.0, away)
    with pytest.raises(Unavailable):
        relay_.sweep()


def test_an_outage_of_the_bus_fails_a_sweep(relay_: LambdaRelay) -> None:
    """It was tried until the time was over; every row stays, and the next sweep brings it."""
    down = seldom(1, 1.0, away)
    relay_.target.fault = down
    relay_.outbox.put(*rows(*((f"a{n}", 1) for n in range(30))))
    with pytest.raises(NothingSwept, match="none of 30 rows"):
        relay_.sweep(seconds=0.5)
    assert len(relay_.outbox.rows) == 30
    relay_.target.fault = lambda records: None
    relay_.sweep()
    assert not relay_.outbox.rows


def test_what_can_leave_leaves_a_sweep_a_success(relay_: LambdaRelay) -> None:
    """One row that EventBridge refuses for now is no outage: its age shows it."""
    refused = Failure("InternalFailure", "try again")
    relay_.target.answer = lambda record: refused if record.aggregate_id == "a3" else None
    relay_.outbox.put(*rows(*((f"a{n}", 1) for n in range(9))))
    relay_.sweep(seconds=0.5)
    assert set(relay_.outbox.rows) == {("a3", 1)}


def test_what_was_found_before_an_outage_leaves(relay_: LambdaRelay) -> None:
    """The second page cannot be read: the first is published all the same, then it fails."""

    class HalfAway(MemoryOutbox):
        def scan(self, before: Any = EVER) -> Iterator[Sequence[Row]]:
            yield next(iter(super().scan(before)))
            raise away()

    relay_.outbox = HalfAway(page=5)
    relay_.outbox.put(*rows(*((f"a{n}", 1) for n in range(9))))
    with pytest.raises(Unavailable):
        relay_.sweep()
    assert len(relay_.target.keys) == 5
    assert len(relay_.outbox.rows) == 4
