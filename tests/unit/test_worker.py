"""A worker process: its parts, its start, its end, its exit codes."""

import os
import signal
import threading
from collections.abc import Callable, Mapping

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from runtime.errors import Misconfigured, Unavailable
from runtime.process import worker
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.settings import WorkerSettings
from runtime.verdicts import RULES, Family, Verdict

Parts = Mapping[str, Callable[[], None]]


def run(prepare: Callable[[], Parts], stop: Stop) -> None:
    worker.run_worker(
        WorkerSettings(health_port=0),
        prepare=prepare,
        stop=stop,
        readiness=Readiness(),
        registry=CollectorRegistry(),
    )


def test_parts_run_side_by_side_until_a_signal() -> None:
    """Two parts that need each other both run; SIGTERM ends them and the call returns."""
    stop, together, ended = Stop(), threading.Barrier(2), []

    def part() -> None:
        together.wait(60)
        os.kill(os.getpid(), signal.SIGTERM)
        stop.wait(60)
        ended.append(stop.requested)

    run(lambda: {"a": part, "b": part}, stop)
    assert ended == [True, True]


def test_a_part_that_fails_stops_the_others_and_is_raised() -> None:
    """The process does not limp on with half of its queues."""
    stop, ended = Stop(), []

    def good() -> None:
        ended.append(stop.wait(60))

    def bad() -> None:
        raise ValueError("a bug")

    with capture_logs() as lines, pytest.raises(ValueError, match="a bug"):
        run(lambda: {"good": good, "bad": bad}, stop)
    assert ended == [True]
    (failure,) = [line for line in lines if line["log_level"] == "error"]
    assert (failure["event"], failure["part"]) == ("part failed", "bad")


def test_what_is_away_at_start_is_waited_for() -> None:
    """Prepared again until it is there."""
    stop, tries = Stop(), []

    def prepare() -> Parts:
        tries.append(1)
        if len(tries) < 3:
            raise Unavailable("SQS", "refused")
        return {"part": lambda: None}

    run(prepare, stop)
    assert len(tries) == 3


def test_a_stop_ends_the_waiting() -> None:
    """A process that waits for AWS leaves like any other."""
    stop = Stop()

    def prepare() -> Parts:
        stop.request()
        raise Unavailable("SQS", "refused")

    run(prepare, stop)


def test_a_resource_that_is_missing_is_not_waited_for() -> None:
    """Misconfigured passes through: waiting would not make it."""

    def prepare() -> Parts:
        raise Misconfigured("the queue x does not exist")

    with pytest.raises(Misconfigured):
        run(prepare, Stop())


@pytest.mark.parametrize("family", Family)
def test_a_start_ends_for_what_a_setting_must_be_changed_for(family: Family) -> None:
    """Rights, credentials, resources and settings: one sentence with the code; the rest waits."""
    stop, tries = Stop(), []

    def prepare() -> Parts:
        tries.append(1)
        if len(tries) == 2:
            return {"part": lambda: None}
        raise Unavailable("SQS", "AccessDeniedException", family)

    if RULES[family].at_start is Verdict.EXIT:
        with pytest.raises(Misconfigured, match="SQS is unavailable: AccessDeniedException: "):
            run(prepare, stop)
        assert len(tries) == 1
    else:
        run(prepare, stop)
        assert len(tries) == 2


def test_after_a_good_start_the_same_error_is_waited_for() -> None:
    """A right that is taken away while a process runs is no reason to end it."""
    tries: list[int] = []

    def attempt() -> str:
        tries.append(1)
        if len(tries) == 1:
            raise Unavailable("SQS", "AccessDeniedException", Family.RIGHTS)
        return "there"

    assert worker.until_available(attempt, Stop()) == "there"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["good"], 0, ""),
        (["two", "words"], 0, ""),
        (["wrong"], 2, "set AWS_REGION\n"),
        (["bad"], 1, ""),
        ([], 2, "say what to run: good, two words, wrong, bad\n"),
        (["good", "extra"], 2, "say what to run: good, two words, wrong, bad\n"),
    ],
)
def test_exit_codes(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    """0 after an orderly stop, 1 after a failure, 2 with one message for what is to mend."""

    def wrong() -> None:
        raise Misconfigured("set AWS_REGION")

    def bad() -> None:
        raise ValueError("a bug")

    commands: dict[str, Callable[[], None]] = {
        "good": lambda: None,
        "two words": lambda: None,
        "wrong": wrong,
        "bad": bad,
    }
    monkeypatch.setattr("sys.argv", ["main.py", *arguments])
    with capture_logs() as lines, pytest.raises(SystemExit) as left:
        worker.main(commands)
    assert left.value.code == code
    assert capsys.readouterr().err == said
    assert [line["event"] for line in lines] == ["process failed"] * (code == 1)
