"""Effects are read from the consumers' logs, and a backlog is seen to grow."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from contracts.names import EventType
from verification.benchmarks.journeys import Travels
from verification.benchmarks.sustainable import growth
from verification.benchmarks.whole_system import WholeSystem
from verification.testkit.waiting import NotInTime

START = datetime(2026, 11, 23, 9, 30, tzinfo=UTC).timestamp()


class Logged:
    """A process of which only the log is there."""

    def __init__(self, output: Path) -> None:
        self.output = output
        output.touch()

    def handles(self, event_type: str, correlation_id: str, after: float) -> None:
        at = datetime.fromtimestamp(START + after, UTC).isoformat()
        said = {"event": "handled", "eventType": event_type, "correlationId": correlation_id}
        with self.output.open("a") as log:
            log.write(json.dumps({**said, "timestamp": at}) + "\n")


class System:
    def __init__(self, folder: Path) -> None:
        names = ("stock-consumer", "payment-consumer", "subscription-consumer")
        self.processes = {name: Logged(folder / name) for name in names}

    def subscribed(self, name: str, after: float) -> None:
        """Both effects of a creation."""
        for consumer in ("stock-consumer", "payment-consumer"):
            self.processes[consumer].handles("SubscriptionCreated", name, after)


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path)


@pytest.fixture
def journeys(system: System) -> Travels:
    """Of a customer who subscribed at START."""
    found = Travels(cast("WholeSystem", system))
    found.sent[EventType.SUBSCRIPTION_CREATED]["create-1"] = START
    return found


def test_a_latency_is_the_time_from_the_request_to_the_log_line(
    system: System, journeys: Travels
) -> None:
    """Each effect for itself."""
    system.subscribed("create-1", 0.25)
    journeys.read()
    found = journeys.latencies()
    assert found["allocated"] == pytest.approx([0.25])
    assert found["given back"] == []


def test_what_comes_twice_counts_when_it_came_first(system: System, journeys: Travels) -> None:
    """Delivery is at least once; the effect was there the first time."""
    system.subscribed("create-1", 1)
    system.subscribed("create-1", 9)
    journeys.read()
    assert journeys.latencies()["paid"] == pytest.approx([1])


def test_half_a_line_is_read_when_it_is_whole(system: System, journeys: Travels) -> None:
    """A log may be read while it is written."""
    log = system.processes["stock-consumer"].output
    system.subscribed("create-1", 1)
    whole = log.read_text()
    log.write_text(whole[:30])
    journeys.read()
    assert journeys.came["allocated"] == {}
    log.write_text(whole)
    journeys.read()
    assert journeys.came["allocated"].keys() == {"create-1"}


def test_an_effect_that_does_not_come_is_an_error(journeys: Travels) -> None:
    """A benchmark must not say how fast something was that never happened."""
    with pytest.raises(NotInTime, match="2 effects"):
        journeys.wait(within=0)


@pytest.mark.parametrize(("seconds_each", "slope"), [(1.0, 0.0), (2.0, 1.0)])
def test_a_backlog_grows_by_what_is_not_done_in_time(
    system: System, journeys: Travels, seconds_each: float, slope: float
) -> None:
    """One request a second; each with two effects, done at their pace, one after the other."""
    sent = {f"create-{n}": START + n for n in range(60)}
    for n, name in enumerate(sent):
        system.subscribed(name, 0.5 + n * seconds_each)
    journeys.read()
    journeys.sent[EventType.SUBSCRIPTION_CREATED] = sent
    assert growth(journeys, START + 10, START + 59) == pytest.approx(slope, abs=0.05)
