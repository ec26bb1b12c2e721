"""LocalStack without containers: the second emulator that facts about AWS are held against."""

import fcntl
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from infra.local_system.ports import LOOPBACK
from infra.local_system.settings import ROOT
from local.child import TETHER, wait_until_listening
from local.probes import emulator_at
from tests.dynamodb_local import find_java
from tests.dynamodb_local_package import dynamodb_local_folder
from tests.shared_engines import shared_engine
from tools.locks import BUILT, LOCALSTACK_LOCK
from tools.setup.uv import Tools
from verification.testkit.ports import reserved_ports
from verification.testkit.waiting import eventually

FOLDER = ROOT / "build" / "localstack"
"""The virtual environment: `venv`, and what it was filled from."""

SERVICES = ("dynamodb", "dynamodbstreams", "events", "iam", "kms", "logs", "sqs", "sts")

READY_WITHIN = 120
"""Seconds; it takes 5, and a busy machine more."""

JAVA = """#!/bin/sh
# LocalStack runs DynamoDB Local under an agent that it downloads, which lifts a limit on indexes.
for argument; do
  shift
  case $argument in -javaagent:*) ;; *) set -- "$@" "$argument" ;; esac
done
exec '{python}' -I -S '{tether}' "$PPID" {kill} '{java}' "$@"
"""
"""In the place of the Java machine that LocalStack would download. It dies with LocalStack."""


@contextmanager
def running_localstack(folder: Path, config: pytest.Config) -> Iterator[str]:
    """Run it for as long as the block lasts, with its state and log in a folder; its address.

    It is installed before, where it is not yet, or from an older lock.
    """
    with config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        python = installed()  # which takes a while, and says how far it is
    _lay_out(folder / "var" / "lib" / "localstack" / "lib")
    with reserved_ports(2) as (port, dynamodb_port):
        endpoint, log = f"http://{LOOPBACK}:{port}", folder / "localstack.log"
        command = (str(python), "-m", "localstack.runtime.main")
        env = _environment(folder, port, dynamodb_port)
        with shared_engine(config, "LocalStack", command, log=log, env=env) as child:
            what = "LocalStack"
            wait_until_listening(port, timeout=READY_WITHIN, what=what, child=child)
            eventually(lambda: emulator_at(endpoint), timeout=READY_WITHIN, what=what)
            yield endpoint


def installed() -> Path:
    """The Python of its environment, filled from its lock alone. Raises CannotSetUp."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    venv, stamp, lock = FOLDER / "venv", FOLDER / "installed", ROOT / LOCALSTACK_LOCK
    python, built = venv / "bin" / "python", BUILT[LOCALSTACK_LOCK]
    wanted = f"{lock.name} sha256:{sha256(lock.read_bytes()).hexdigest()}\n"
    with (FOLDER / "lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            stamp.unlink(missing_ok=True)
            _say("installing it from its lock into build/localstack")
            tools = Tools(ROOT, python, os.environ, _say)
            tools.run("venv", sys.executable, "-m", "venv", "--clear", "--without-pip", str(venv))
            tools.install(Path(sys.executable).with_name("uv"), lock, builds=built)
            stamp.write_text(wanted)
    return python


def _say(line: str) -> None:
    sys.stdout.write(f"localstack: {line}\n")
    sys.stdout.flush()


def _lay_out(libraries: Path) -> None:
    """Put DynamoDB Local and a Java machine where LocalStack would have downloaded them to."""
    java = libraries / "java" / "21" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(
        JAVA.format(
            python=sys.executable, tether=TETHER, kill=signal.SIGKILL.value, java=find_java()
        )
    )
    java.chmod(0o755)
    (libraries / "dynamodb-local").mkdir()
    (libraries / "dynamodb-local" / "2").symlink_to(dynamodb_local_folder())


def _environment(folder: Path, port: int, dynamodb_port: int) -> Mapping[str, str]:
    address = f"{LOOPBACK}:{port}"
    return {
        "FILESYSTEM_ROOT": str(folder),
        "OVERRIDE_IN_DOCKER": "0",
        "GATEWAY_SERVER": "hypercorn",
        "GATEWAY_LISTEN": address,
        "LOCALSTACK_HOST": address,
        "DYNAMODB_LOCAL_PORT": str(dynamodb_port),
        "DYNAMODB_IN_MEMORY": "1",
        "PROVIDER_OVERRIDE_DYNAMODB": "v2",
        "PROVIDER_OVERRIDE_DYNAMODBSTREAMS": "v2",
        "SERVICES": ",".join(SERVICES),
        "STRICT_SERVICE_LOADING": "1",
        # Nothing of it asks the internet.
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
        "LS_LOG": "warning",
    }
