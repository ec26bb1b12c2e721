"""A worker whose part hangs leaves without it."""

import subprocess
import sys

HANGS = """
import threading
from prometheus_client import CollectorRegistry
from runtime import logs
from runtime.process.health import Readiness
from runtime.settings import WorkerSettings
from runtime.process.shutdown import Stop
from runtime.process.worker import run_worker

logs.configure(process="hangs")
stop = Stop()

def hang():
    stop.request()
    threading.Event().wait()

run_worker(
    WorkerSettings(health_port=0),
    prepare=lambda: {"hanging": hang, "orderly": stop.wait},
    stop=stop,
    readiness=Readiness(),
    registry=CollectorRegistry(),
    stop_within=2,
)
"""


def test_a_part_that_never_ends_does_not_keep_the_process() -> None:
    """The process leaves at its deadline, says which part it did not wait for, and exits with 1."""
    ended = subprocess.run(
        [sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=250, check=False
    )
    assert ended.returncode == 1
    assert "stopped without waiting any longer" in ended.stdout
    assert '"parts": ["hanging"]' in ended.stdout
