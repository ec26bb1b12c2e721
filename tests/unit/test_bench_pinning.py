"""What makes a load has a core to itself, where there are two."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from verification.benchmarks.pinning import generator_cores, loading, measured_cores, pin
from verification.testkit.waiting import eventually

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system has no such setting"
)


@pytest.fixture
def child() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that waits."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_what_is_measured_and_what_loads_it_share_no_core() -> None:
    """All that there are belong to one of the two; a machine with one core has no choice."""
    every = os.sched_getaffinity(0)
    assert measured_cores() | generator_cores() == every
    assert len(every) == 1 or not measured_cores() & generator_cores()


def test_a_process_is_kept_on_its_cores(child: "subprocess.Popen[bytes]") -> None:
    """With all of its threads."""
    pin(child.pid, generator_cores())
    eventually(
        lambda: os.sched_getaffinity(child.pid) == generator_cores(), what="the core of the load"
    )


def test_a_process_that_has_ended_cannot_be_pinned(child: "subprocess.Popen[bytes]") -> None:
    """And that is no error: its figures are."""
    child.kill()
    child.wait()
    pin(child.pid, generator_cores())


def test_this_thread_is_kept_there_for_a_block() -> None:
    """What it starts afterwards has all cores again."""
    before = os.sched_getaffinity(0)
    with loading():
        assert os.sched_getaffinity(0) == generator_cores()
    assert os.sched_getaffinity(0) == before
