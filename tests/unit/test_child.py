"""Processes that tests and load runs start: what one said last is beside what went wrong."""

import sys
from pathlib import Path

import pytest

from local.child import LAST_LINES, last_lines, running_child, wait_until_listening
from tests.shared_engines import died, shared_engine
from verification.testkit.ports import reserved_ports

DIES = "for line in range(100): print('line', line)\nraise SystemExit('no such table')"


def test_an_error_carries_the_last_lines_of_a_process_that_died(tmp_path: Path) -> None:
    """With its name and its exit code, and of its output only the end."""
    log = tmp_path / "log"
    command = [sys.executable, "-I", "-S", "-u", "-c", DIES]
    with (
        reserved_ports(1) as (port,),
        pytest.raises(ChildProcessError, match=r"^stock-api died \(exit code 1\)") as died,
        running_child("stock-api", command, log=log) as child,
    ):
        wait_until_listening(port, timeout=60, what="stock-api", child=child)
    heading, *lines = died.value.__notes__[0].splitlines()
    assert heading == "stock-api died (exit code 1); its last lines:"
    assert len(lines) == LAST_LINES
    assert (lines[0], lines[-1]) == ("    line 81", "    no such table")


def test_an_error_beside_a_process_that_runs_carries_its_lines_too(tmp_path: Path) -> None:
    """What it was at when a test gave up on it; then it is stopped."""
    command = ["sh", "-c", "echo waiting; sleep 600"]
    log = tmp_path / "log"

    def fail_beside_it() -> None:
        with running_child("relay", command, log=log):
            while not last_lines(log):
                pass
            raise AssertionError("it did not happen")

    with pytest.raises(AssertionError) as failure:
        fail_beside_it()
    assert failure.value.__notes__ == ["relay runs; its last lines:\n    waiting"]


def test_an_engine_that_died_is_known_to_every_failure_after_it(
    pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    """As long as it should run: what it said is not lost with the tests that it takes along."""
    before = died(pytestconfig)
    command = ["sh", "-c", "echo no space; exit 3"]
    with shared_engine(pytestconfig, "mongod", command, log=tmp_path / "log") as engine:
        engine.wait(60)
        assert died(pytestconfig) == [
            *before,
            "mongod died (exit code 3); its last lines:\n    no space",
        ]
    assert died(pytestconfig) == before


def test_the_end_of_a_long_log_is_read_alone(tmp_path: Path) -> None:
    """What cannot be decoded costs no line."""
    log = tmp_path / "log"
    log.write_bytes(b"x" * 10_000_000 + b"\n\xff is no UTF-8\nthe end\n")
    assert last_lines(log)[-2:] == ["\ufffd is no UTF-8", "the end"]
