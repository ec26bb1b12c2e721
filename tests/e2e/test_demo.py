"""`make demo` as a newcomer's shell starts it: full of other work's settings, in any encoding."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local_system.settings import ROOT
from verification.testkit.ports import settings_on_free_ports

EXPORTED = {
    "AWS_PROFILE": "work",
    "AWS_REGION": "us-east-1",
    "MONGODB_URI": "mongodb://other.example:27017/",
    "MONGODB_USERNAME": "me",
    "MONGODB_PASSWORD": "hidden",
    "HTTP_HOST": "203.0.113.1",
    "HTTP_PORT": "1",
    "HEALTH_HOST": "203.0.113.1",
    "QUEUE_WAIT_SECONDS": "99",
    "LOG_LEVEL": "debug",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    "POLL_SECONDS": "soon",
}
"""Each alone ends some process, or sends it elsewhere."""


@pytest.mark.timeout(300)  # it waits for as long as the start shows progress
def test_the_demo_runs_in_a_shell_full_of_other_settings(tmp_path: Path) -> None:
    """It ends well, names what it does not use in one line, and prints the journey in latin-1."""
    with settings_on_free_ports(tmp_path / "state") as settings:
        given = settings.model_dump(exclude_none=True)
        ours = {name.upper(): str(value) for name, value in given.items() if name != "breakable"}
        done = subprocess.run(
            [sys.executable, "-m", "local.demo"],
            env={**os.environ, **ours, **EXPORTED, "PYTHONIOENCODING": "latin-1"},
            cwd=ROOT,
            capture_output=True,
            encoding="latin-1",
            check=False,
            timeout=280,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    assert [name for name in EXPORTED if name not in line] == []
    assert "hidden" not in line
    assert "subscription cancelled" in done.stdout
    assert "for the bank's reason 1" in done.stdout  # by the signed callback
    log = (tmp_path / "state" / "demo.log").read_text(encoding="utf-8")
    assert "stock-api              \N{BOX DRAWINGS LIGHT VERTICAL} " in log
    assert "other.example" not in log
