"""Effects are read from the consumers' logs, and a backlog is seen to grow."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from verification.benchmarks.effects import EffectLog
from verification.benchmarks.journeys import Requests
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
def effects(system: System) -> EffectLog:
    return EffectLog(cast("WholeSystem", system))


def test_a_latency_is_the_time_from_the_request_to_the_log_line(
    system: System, effects: EffectLog
) -> None:
    """Each effect for itself."""
    system.subscribed("create-1", 0.25)
    effects.read()
    found = effects.latencies(Requests(created={"create-1": START}))
    assert found["allocated"] == pytest.approx([0.25])
    assert found["given back"] == []


def test_what_comes_twice_counts_when_it_came_first(system: System, effects: EffectLog) -> None:
    """Delivery is at least once; the effect was there the first time."""
    system.subscribed("create-1", 1)
    system.subscribed("create-1", 9)
    effects.read()
    assert effects.latencies(Requests(created={"create-1": START}))["paid"] == pytest.approx([1])


def test_half_a_line_is_read_when_it_is_whole(system: System, effects: EffectLog) -> None:
    """A log may be read while it is written."""
    log = system.processes["stock-consumer"].output
    system.subscribed("create-1", 1)
    whole = log.read_text()
    log.write_text(whole[:30])
    effects.read()
    assert effects.at["allocated"] == {}
    log.write_text(whole)
    effects.read()
    assert effects.at["allocated"].keys() == {"create-1"}


def test_an_effect_that_does_not_come_is_an_error(effects: EffectLog) -> None:
    """A benchmark must not say how fast something was that never happened."""
    with pytest.raises(NotInTime, match="2 effects"):
        effects.wait_for(Requests(created={"create-1": START}), within=0)


@pytest.mark.parametrize(("seconds_each", "slope"), [(1.0, 0.0), (2.0, 1.0)])
def test_a_backlog_grows_by_what_is_not_done_in_time(
    system: System, effects: EffectLog, seconds_each: float, slope: float
) -> None:
    """One request a second; each with two effects, done at their pace, one after the other."""
    sent = {f"create-{n}": START + n for n in range(60)}
    for n, name in enumerate(sent):
        system.subscribed(name, 0.5 + n * seconds_each)
    effects.read()
    found = growth(Requests(created=sent), effects, START + 10, START + 59)
    assert found == pytest.approx(slope, abs=0.05)
