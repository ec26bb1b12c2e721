"""AWS keys that are rotated, expire or come back, under clients and processes that go on."""

import json
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from infra.local import provision
from runtime.aws import Aws, reaching
from runtime.credentials import refuses_credentials
from runtime.errors import Unavailable
from tests.conftest import MiniStack
from tests.gate import Gate
from tests.integration.emulated import empty_aws
from tests.integration.test_processes import an_event, main_of
from tests.processes import Process, running
from tests.queues import TestQueue, make_queue
from tests.system import System
from tests.waiting import eventually

OLD, NEW = "AKIDOLD", "AKIDNEW"
REFUSALS = [
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "UnrecognizedClientException",
]

Write = Callable[[str], None]
"""Puts an access key where a process finds it."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for profiles, which are all that boto3 finds, here and in processes."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return tmp_path


def credentials_file(home: Path) -> Write:
    """Static keys of the shared credentials file, temporary ones with their token."""
    return lambda key: replace(
        home / "credentials",
        f"[default]\naws_access_key_id={key}\naws_secret_access_key=s\naws_session_token=t\n",
    )


def config_file(home: Path) -> Write:
    """The same keys in the config file."""
    return lambda key: replace(
        home / "config", f"[default]\naws_access_key_id={key}\naws_secret_access_key=s\n"
    )


def process_without_expiration(home: Path) -> Write:
    """`credential_process` whose answer says of no end: botocore asks it once."""
    return credential_process(home, dict)


def process_with_expiration(home: Path) -> Write:
    """`credential_process` whose answer ends in an hour, and is refused before that."""
    return credential_process(
        home, lambda: {"Expiration": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
    )


def credential_process(home: Path, more: Callable[[], dict[str, str]]) -> Write:
    script = home / "keys"
    answer = home / "answer.json"
    script.write_text(f"#!{sys.executable} -IS\nprint(open({str(answer)!r}).read())\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    (home / "config").write_text(f"[default]\ncredential_process = {script}\n")

    def write(key: str) -> None:
        keys = {"Version": 1, "AccessKeyId": key, "SecretAccessKey": "s"}
        replace(answer, json.dumps(keys | more()))

    return write


SOURCES = pytest.mark.parametrize(
    "source",
    [credentials_file, config_file, process_without_expiration, process_with_expiration],
)


def replace(file: Path, text: str) -> None:
    """As tools do: another file takes the place of the old one."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(file)


@pytest.fixture
def gate(ministack: MiniStack) -> Iterator[Gate]:
    with Gate(ministack.endpoint).running() as gate:
        yield gate


@pytest.fixture
def sqs(home: Path, gate: Gate) -> Any:
    """Made before there are any keys; each call is tried once."""
    return Aws(region="eu-west-1", endpoint_url=gate.endpoint, attempts=1).client("sqs")


def is_taken(call: Callable[[], object]) -> bool:
    """Whether a call succeeds; if not, AWS or boto3 said that it is for its credentials."""
    try:
        with reaching("SQS"):
            call()
    except Unavailable as error:
        return not refuses_credentials(error)
    return True


@SOURCES
def test_the_first_call_after_a_rotation_succeeds(
    home: Path, gate: Gate, sqs: Any, source: Callable[[Path], Write]
) -> None:
    """A command in the middle of its work does not notice that its key was replaced."""
    write = source(home)
    for key in (OLD, NEW):
        write(key)
        gate.trust(key, code="InvalidClientTokenId")
        sqs.list_queues()


@pytest.mark.parametrize(
    ("source", "code"),
    [
        *((credentials_file, code) for code in REFUSALS),
        *((each, REFUSALS[0]) for each in (config_file, process_without_expiration)),
    ],
)
def test_a_refused_key_is_an_outage_until_there_is_another(
    home: Path, gate: Gate, sqs: Any, source: Callable[[Path], Write], code: str
) -> None:
    """Whatever AWS calls it; nothing that waited for it is dead-lettered for that."""
    write = source(home)
    write(OLD)
    gate.trust(NEW, code=code)
    assert not is_taken(sqs.list_queues)
    write(NEW)
    eventually(lambda: is_taken(sqs.list_queues), what="a call that is signed with the new key")


def test_a_file_that_is_being_written_takes_no_keys_away(
    home: Path, gate: Gate, sqs: Any
) -> None:
    """Empty, cut off or malformed for a moment: what was read before still signs."""
    credentials_file(home)(OLD)
    gate.trust(OLD, code="InvalidClientTokenId")
    sqs.list_queues()
    for text in ("", "[default]", "[default]\naws_access_key_id=", "default]\n]["):
        replace(home / "credentials", text)
        sqs.list_queues()


def test_credentials_that_are_found_late_are_used(home: Path, gate: Gate, sqs: Any) -> None:
    """A process that started before anyone signed in waits for it."""
    with pytest.raises(Unavailable, match="NoCredentialsError"), reaching("SQS"):
        sqs.list_queues()
    credentials_file(home)(NEW)
    gate.trust(NEW, code="InvalidClientTokenId")
    sqs.list_queues()


def test_a_program_that_fails_is_an_outage(home: Path, gate: Gate, sqs: Any) -> None:
    """credential_process that is missing, fails, or says nothing that can be read."""
    write = process_without_expiration(home)
    for break_it in (
        (home / "answer.json").unlink,
        lambda: (home / "answer.json").write_text("{"),
        lambda: (home / "config").write_text("[default]\ncredential_process = /nowhere\n"),
    ):
        write(OLD)
        break_it()
        with pytest.raises(Unavailable), reaching("SQS"):
            Aws(region="eu-west-1", endpoint_url=gate.endpoint).client("sqs").list_queues()
