"""AWS keys that are rotated, expire or come back, under clients and processes that go on."""

import json
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from infra.local import provision
from infra.local_system.ports import LOOPBACK
from local.child import stop_child
from runtime.aws import Aws, reaching
from runtime.errors import Unavailable
from runtime.verdicts import Family
from tests.conftest import MiniStack
from tests.integration.emulated import empty_aws
from tests.integration.test_processes import an_event, own_queues
from tests.queues import TestQueue, make_queue
from tests.relay_world import DLQ, a_world, ids, records
from tests.system import System
from tests.threads import served
from verification.testkit.fault_proxy import FaultProxy
from verification.testkit.launcher import LaunchedProcess, running
from verification.testkit.waiting import eventually

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
    return lambda key: put(
        home / "credentials",
        f"[default]\naws_access_key_id={key}\naws_secret_access_key=s\naws_session_token=t\n",
    )


def config_file(home: Path) -> Write:
    """The same keys in the config file."""
    return lambda key: put(
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
        put(answer, json.dumps(keys | more()))

    return write


SOURCES = pytest.mark.parametrize(
    "source",
    [credentials_file, config_file, process_without_expiration, process_with_expiration],
)


def put(file: Path, text: str) -> None:
    """As tools do: another file takes the place of the old one."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(file)


@pytest.fixture
def gate(ministack: MiniStack) -> Iterator[FaultProxy]:
    with FaultProxy(ministack.endpoint).running() as gate:
        yield gate


@pytest.fixture
def sqs(home: Path, gate: FaultProxy) -> Any:
    """Made before there are any keys; each call is tried once."""
    return Aws(region="eu-west-1", endpoint_url=gate.endpoint, attempts=1).client("sqs")


def is_taken(call: Callable[[], object]) -> bool:
    """Whether a call succeeds; if not, AWS or boto3 said that it is for its credentials."""
    try:
        with reaching("SQS"):
            call()
    except Unavailable as error:
        return error.family not in {Family.CREDENTIALS, Family.EXPIRED, Family.CLOCK}
    return True


@SOURCES
def test_the_first_call_after_a_rotation_succeeds(
    home: Path, gate: FaultProxy, sqs: Any, source: Callable[[Path], Write]
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
    home: Path, gate: FaultProxy, sqs: Any, source: Callable[[Path], Write], code: str
) -> None:
    """Whatever AWS calls it; nothing that waited for it is dead-lettered for that."""
    write = source(home)
    write(OLD)
    gate.trust(NEW, code=code)
    assert not is_taken(sqs.list_queues)
    write(NEW)
    eventually(lambda: is_taken(sqs.list_queues), what="a call that is signed with the new key")


def test_a_file_that_is_being_written_takes_no_keys_away(
    home: Path, gate: FaultProxy, sqs: Any
) -> None:
    """Empty, cut off or malformed for a moment: what was read before still signs."""
    credentials_file(home)(OLD)
    gate.trust(OLD, code="InvalidClientTokenId")
    sqs.list_queues()
    for text in ("", "[default]", "[default]\naws_access_key_id=", "default]\n]["):
        put(home / "credentials", text)
        sqs.list_queues()


def test_credentials_that_are_found_late_are_used(home: Path, gate: FaultProxy, sqs: Any) -> None:
    """A process that started before anyone signed in waits for it."""
    with pytest.raises(Unavailable, match="NoCredentialsError"), reaching("SQS"):
        sqs.list_queues()
    credentials_file(home)(NEW)
    gate.trust(NEW, code="InvalidClientTokenId")
    sqs.list_queues()


def test_a_program_that_fails_is_an_outage(home: Path, gate: FaultProxy, sqs: Any) -> None:
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


@contextmanager
def a_stock_consumer(
    system: System, gate: FaultProxy, folder: Path, **changes: str
) -> Iterator[tuple[LaunchedProcess, TestQueue]]:
    """The process behind the gate, at work on a queue of the test's own."""
    created = make_queue(system.aws)
    queues = own_queues(system, "stock") | {"SUBSCRIPTION_CREATED_QUEUE": created.queue.name}
    with replace(system, endpoint=gate.endpoint).running(
        folder, "stock", "consumer", {**queues, **changes}
    ) as process:
        process.until_ready()
        yield process, created
        assert not created.dead_letters()
        assert process.child.poll() is None


def until_not_ready(process: LaunchedProcess) -> None:
    def waits() -> bool:
        answer = process.get("/readyz")
        return answer is not None and answer.status_code == 503

    eventually(waits, what="a process that is not ready")


def handles(system: System, queue: TestQueue) -> None:
    """A message is brought to its effect."""
    subscription_id = str(uuid4())
    queue.send(an_event(subscription_id, 1))
    eventually(lambda: system.outbox("stock", subscription_id), what="the effect")
    eventually(queue.empty, what="an empty queue")


def test_a_consumer_lives_through_a_rotation(
    home: Path, gate: FaultProxy, ministack: MiniStack, system: System
) -> None:
    """Its key is deleted before the next is written: it is not ready, loses nothing, goes on."""
    write = credentials_file(home)
    write(OLD)
    gate.trust(OLD, code="InvalidClientTokenId")
    with a_stock_consumer(system, gate, home) as (process, created):
        handles(system, created)
        gate.hold("before", "TransactWriteItems")
        created.send(an_event(held := str(uuid4()), 2))
        gate.reached("before", "TransactWriteItems")  # it has the message by now
        gate.trust(NEW, code="InvalidClientTokenId")
        gate.release()
        until_not_ready(process)
        # A later try may have to look first whether there is an inventory.
        eventually(
            lambda: gate.distrusted["TransactWriteItems"] + gate.distrusted["GetItem"] > 1,
            what="another try to commit",
        )
        write(NEW)
        eventually(lambda: system.outbox("stock", held), what="the effect of what was held")
        process.until_ready()
        handles(system, created)


def test_a_relay_lives_through_a_rotation(home: Path, ministack: MiniStack) -> None:
    """What is committed meanwhile stays in the outbox and leaves once there is another key."""
    write = credentials_file(home)
    write(OLD)
    with a_world(ministack, home) as world:
        world.provision_dynamodb()
        world.gate.trust(OLD, code="ExpiredTokenException")
        with world.relay("dynamodb", SWEEP_MIN_AGE_SECONDS="1", SWEEP_INTERVAL_SECONDS="1") as each:
            world.until_on_bus(ids(world.commit(records(3))))
            world.gate.trust(NEW, code="ExpiredTokenException")
            until_not_ready(each)
            waiting = world.commit(records(3, prefix="b"))
            write(NEW)
            world.until_published(waiting)
            each.until_ready()
            assert not world.drained(DLQ)


def test_a_console_lives_through_a_rotation(
    home: Path, gate: FaultProxy, ministack: MiniStack
) -> None:
    """It says that it sees nothing, sees again, and takes its taps away with the key of now."""
    write = credentials_file(home)
    write(OLD)
    aws = empty_aws(ministack)
    provision(aws)
    gate.trust(OLD, code="InvalidClientTokenId")
    nowhere = f"http://{LOOPBACK}:1"
    env = {
        "AWS_REGION": aws.client("sqs").meta.region_name,
        "AWS_ENDPOINT_URL": gate.endpoint,
        **{f"{each}_API_URL": nowhere for each in ("SUBSCRIPTION", "STOCK", "PAYMENT")},
        "STREAMED_AUDIT_FILE": str(home / "audit.jsonl"),
    }

    def taps() -> list[str]:
        urls = aws.client("sqs").list_queues(QueueNamePrefix="console-tap-").get("QueueUrls", [])
        return list(urls)

    with running(home, "console", "", env, port_name="CONSOLE_PORT") as process:
        process.until_ready()
        gate.trust(NEW, code="InvalidClientTokenId")
        until_not_ready(process)
        write(NEW)
        process.until_ready()
        assert len(taps()) == 3
        assert stop_child(process.child, within=60)
    assert taps() == []


class SignIn:
    """The part of IAM Identity Center that gives a role's keys to who shows a token it knows.

    They end at once, so that each call asks again.
    """

    def __init__(self) -> None:
        self.tokens: set[str] = set()
        self.server = ThreadingHTTPServer((LOOPBACK, 0), self._handler())
        self.endpoint = f"http://{LOOPBACK}:{self.server.server_port}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        tokens = self.tokens

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.headers["x-amz-sso_bearer_token"] in tokens:
                    ends = datetime.now(UTC) + timedelta(seconds=60)
                    keys = {"accessKeyId": NEW, "secretAccessKey": "s", "sessionToken": "t"}
                    role = keys | {"expiration": round(ends.timestamp() * 1000)}
                    self._answer(200, {"roleCredentials": role})
                else:
                    self._answer(401, {"__type": "UnauthorizedException", "message": "no session"})

            def _answer(self, status: int, document: dict[str, Any]) -> None:
                body = json.dumps(document).encode()
                self.send_response(status)
                if "__type" in document:
                    self.send_header("x-amzn-ErrorType", document["__type"])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """A test's output is the test's."""

        return Handler


@pytest.fixture
def sign_in() -> Iterator[SignIn]:
    found = SignIn()
    with served(found.server):
        yield found


def test_a_consumer_waits_for_the_next_sso_session(
    home: Path, gate: FaultProxy, ministack: MiniStack, system: System, sign_in: SignIn
) -> None:
    """A session that ends makes it not ready; `aws sso login`, in a shell beside it, ready."""
    credentials_file(home)(OLD)  # the test's own calls
    (home / "config").write_text(
        "[profile dev]\nsso_session = corp\nsso_account_id = 000000000000\nsso_role_name = r\n"
        "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example.com\n"
    )
    cache = home / ".aws" / "sso" / "cache" / f"{sha1(b'corp').hexdigest()}.json"
    cache.parent.mkdir(parents=True)

    def log_in(token: str) -> None:
        sign_in.tokens.clear()
        sign_in.tokens.add(token)
        ends = f"{datetime.now(UTC) + timedelta(hours=8):%Y-%m-%dT%H:%M:%SZ}"
        put(cache, json.dumps({"accessToken": token, "expiresAt": ends}))

    gate.trust(NEW, code="UnrecognizedClientException")
    log_in("monday")
    with a_stock_consumer(
        system, gate, home, AWS_PROFILE="dev", AWS_ENDPOINT_URL_SSO=sign_in.endpoint
    ) as (process, created):
        handles(system, created)
        sign_in.tokens.clear()
        cache.unlink()
        until_not_ready(process)
        created.send(an_event(waiting := str(uuid4()), 3))
        log_in("tuesday")
        eventually(lambda: system.outbox("stock", waiting), what="the effect of what waited")
        process.until_ready()
