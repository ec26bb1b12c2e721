"""What `make up` says when it cannot come up: one sentence with the mend, and nothing is left."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from infra.local_system.ports import is_listening
from infra.local_system.settings import LocalSettings
from local.errors import AlreadyRunning
from local.system import only_one
from verification.testkit.ports import settings_on_free_ports

ROOT = Path(__file__).parents[2]

Up = Callable[[Mapping[str, str]], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[LocalSettings]:
    with settings_on_free_ports(tmp_path) as settings:
        yield settings


@pytest.fixture
def up(settings: LocalSettings) -> Up:
    """Run `python -m local.up` on free ports until it gives up."""
    given = settings.model_dump(exclude_none=True)
    environment = {name.upper(): str(value) for name, value in given.items()}

    def run(changes: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "local.up"],
            env={**os.environ, **environment, **changes},
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=60,
        )

    return run


def test_a_missing_mongod(up: Up) -> None:
    """MONGOD names what is not there: a setting is wrong, and it says what to install or set."""
    ended = up({"MONGOD": "/nowhere/mongod"})
    assert ended.returncode == 2
    (sentence,) = ended.stdout.splitlines()
    assert sentence.startswith("mongod was not found (MONGOD=/nowhere/mongod is not a program): ")
    assert "make setup" in sentence


def test_aws_itself_in_place_of_an_emulator(up: Up) -> None:
    """It would be provisioned, and paid for: the setting is named, before anything starts."""
    ended = up({"EMULATOR_URL": "https://events.eu-west-1.amazonaws.com"})
    assert ended.returncode == 2
    (sentence,) = ended.stdout.splitlines()
    assert "is AWS itself: set EMULATOR_URL to an emulator" in sentence


def test_a_taken_port(up: Up, settings: LocalSettings) -> None:
    """It names the port, who needs it and the variable that moves it, before anything starts."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        ended = up({"STOCK_API_PORT": str(port)})
    assert ended.returncode == 1
    (sentence,) = ended.stdout.splitlines()
    assert sentence == (
        f"port {port} is taken, and stock-api needs it: stop whatever listens there,"
        " or set STOCK_API_PORT to a free port"
    )
    assert not is_listening(settings.aws_port)


def test_a_second_up(up: Up, settings: LocalSettings) -> None:
    """It says that it is already running, and in which process."""
    with only_one(settings.state_dir):
        ended = up({})
    assert ended.returncode == 1
    (sentence,) = ended.stdout.splitlines()
    assert sentence.startswith(f"it is already running (process {os.getpid()}, ")


def test_a_malformed_setting(up: Up) -> None:
    """Every variable at fault is named, and the exit code is that of a misconfiguration."""
    ended = up({"AWS_PORT": "zebra", "TAP_PORT": "70000"})
    assert ended.returncode == 2
    (sentence,) = ended.stdout.splitlines()
    assert "AWS_PORT" in sentence
    assert "TAP_PORT" in sentence


def test_an_engine_that_cannot_start(up: Up, settings: LocalSettings) -> None:
    """It is named with its exit code and its log, and the other engine is stopped."""
    ended = up({"MONGOD": "/bin/false"})
    assert ended.returncode == 1
    *_, sentence = ended.stdout.splitlines()
    assert sentence.startswith("mongod died (exit code 1): everything else is stopped; ")
    assert not is_listening(settings.aws_port)


def test_the_lock_is_free_again_after_its_holder(tmp_path: Path) -> None:
    """One at a time, and the next may come."""
    with only_one(tmp_path), pytest.raises(AlreadyRunning):
        only_one(tmp_path).__enter__()
    with only_one(tmp_path):
        pass
