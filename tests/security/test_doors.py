"""The doors beside the tokens: who may ask at all, and what no text of a stranger may do."""

import re
import stat
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from rich.text import Text

from infra.local_system.environment import REGION
from infra.local_system.settings import ROOT
from local.console import Console
from local.system import only_one
from operations.dlq.choice import End
from operations.dlq.tables import ended
from operations.output import Output, table
from operations.sources.dead_letters import read
from operations.sources.origins import BackToQueue, Origin
from runtime import text as texts
from runtime.errors import Misconfigured
from runtime.http.settings import ApiSettings
from runtime.logs import for_people
from runtime.process.command import complain
from runtime.settings import load
from runtime.terminal import Terminal
from runtime.text import printable
from services.subscription.schemas import NewSubscription
from tests.builders import a_body, a_metadata
from tests.conftest import MiniStack
from tests.dead_letters import a_message, an_event
from tests.raw_http import Server
from tests.system import NAMES, Name, System, ask

FOREIGN = ("evil.example", "127.0.0.1.evil.example:4566", "localhost.evil.example", "10.0.0.1", "")
"""Names that a site may point to this machine, another machine's, and none."""

FROM_A_BROWSER = (
    b"Origin: http://evil.example",
    b"Origin: null",
    b"origin: http://127.0.0.1:4566",
    b"Sec-Fetch-Site: cross-site",
    b"Sec-Fetch-Mode: navigate",
    b"sec-fetch-site: none",
)

NOWHERE = System(REGION, "http://127.0.0.1:1", "mongodb://127.0.0.1:1", "none")

LIST_TABLES = (b"X-Amz-Target: DynamoDB_20120810.ListTables", b"Content-Length: 2")


@pytest.fixture
def emulator(ministack: MiniStack) -> Server:
    return Server(int(ministack.endpoint.rpartition(":")[2]), ("/_ministack/health",))


def list_tables(emulator: Server, *headers: bytes) -> int:
    """Ask for what a page would like to read; the status. No answer lets a page read it."""
    host = f"Host: 127.0.0.1:{emulator.port}".encode()
    own = () if any(each.lower().startswith(b"host:") for each in headers) else (host,)
    answer = emulator.ask("POST /", *own, *LIST_TABLES, *headers, body=b"{}")
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    return answer.status


@pytest.mark.parametrize("header", FROM_A_BROWSER)
def test_the_emulator_answers_no_web_page(emulator: Server, header: bytes) -> None:
    """Whichever page it is, and whatever else the request says."""
    assert list_tables(emulator, header) == 403
    assert emulator.ask("OPTIONS /", b"Host: localhost", header).status == 403


@pytest.mark.parametrize("host", FOREIGN)
def test_the_emulator_answers_to_no_foreign_name(emulator: Server, host: str) -> None:
    """A site that points a name of its own to 127.0.0.1 (DNS rebinding) reads nothing."""
    assert list_tables(emulator, b"Host: " + host.encode()) == 421


def test_the_emulator_opens_no_web_socket(emulator: Server) -> None:
    """None of our processes asks for one."""
    upgrade = (b"Upgrade: websocket", b"Sec-WebSocket-Version: 13")
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    start = b"GET /_aws/execute-api/x/y HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
    answer = emulator.send(start + b"\r\n".join((*upgrade, key)) + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403")


def test_the_emulator_serves_programs_as_before(emulator: Server, ministack: MiniStack) -> None:
    """The SDK, by each name of loopback; no answer has CORS headers."""
    for host in ("127.0.0.1", "localhost"):
        dynamodb = boto3.client(
            "dynamodb", endpoint_url=f"http://{host}:{emulator.port}", region_name=REGION
        )
        assert "TableNames" in dynamodb.list_tables()
    assert list_tables(emulator) == 200


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("host", FOREIGN)
def test_an_api_answers_to_no_foreign_name(name: Name, host: str) -> None:
    """On loopback to loopback's names alone, without a setting; the database is not asked."""
    app = NOWHERE.app(name)
    answer = ask(app, "GET", "/docs", headers={"Host": host})
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (421, "misdirected")
    assert "HTTP_ALLOWED_HOSTS" in answer.json()["detail"]
    assert ask(app, "GET", "/docs", headers={"Host": "localhost:8001"}).status_code == 200


def test_an_api_beyond_loopback_says_by_which_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or it does not start: it is not opened by forgetting something."""
    monkeypatch.setenv("AUTH_OFF_BEYOND_LOOPBACK", "1")
    monkeypatch.setenv("HTTP_PORT", "8000")
    monkeypatch.setenv("HTTP_HOST", "0.0.0.0")
    with pytest.raises(Misconfigured, match=r"HTTP_ALLOWED_HOSTS: .*HTTP_HOST=0\.0\.0\.0"):
        load(ApiSettings)
    monkeypatch.setenv("HTTP_ALLOWED_HOSTS", "Api.example, stock-api:8000")
    assert load(ApiSettings).allowed_hosts == {"api.example", "stock-api:8000"}
    monkeypatch.setenv("HTTP_ALLOWED_HOSTS", "http://api.example/")
    with pytest.raises(Misconfigured, match="HTTP_ALLOWED_HOSTS"):
        load(ApiSettings)


def test_the_state_of_make_up_is_its_users_alone(tmp_path: Path) -> None:
    """Tables, messages and logs: also of a system that an earlier version ran."""
    state = tmp_path / ".local"
    state.mkdir(mode=0o755)
    with only_one(state):
        assert stat.S_IMODE(state.stat().st_mode) == 0o700


CONTROLS = ("\x1b[2J", "\x07", "\x85", "\x9b2J", "\u061c", "\u200f", "\u202e", "\u2028", "\u2067")

ORDER = {
    "accountNumber": "20000001",
    "accountName": "Grace Hopper",
    "accountSortCode": "12-34-56",
    "customerFirstName": "Grace",
    "customerSurname": "Hopper",
}


@pytest.mark.parametrize("control", CONTROLS, ids=ascii)
@pytest.mark.parametrize("field", ["accountName", "customerFirstName", "customerSurname"])
def test_no_name_has_a_control_character(field: str, control: str) -> None:
    """At its beginning, within and at its end; letters of every script are a name's."""
    app = NOWHERE.app("subscription")
    for name in (f"{control}A", f"A{control}B", f"A{control}"):
        answer = ask(app, "POST", "/subscriptions", json={**ORDER, field: name})
        assert answer.status_code == 422
        assert [each["field"] for each in answer.json()["errors"]] == [field]
    NewSubscription.model_validate({**ORDER, field: "\u05d0\u05d1 O\u2019Z\u00f6\u00eb-\u738b"})


def shown_by_commands(text: str) -> str:
    """What `streamed` writes on a terminal: a table, one of ready-made texts, a line, an error."""
    terminal = StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    output = Output(stdout=terminal, stderr=terminal)
    rows = table(f"why {text}", title=text)
    rows.add_row(text)
    output.show({}, rows, Text(text), text)
    output.line(text)
    output.complain(text)
    return terminal.getvalue()


def shown_by_make_up(text: str) -> str:
    """What a process wrote to its log, and what is said of it."""
    terminal = StringIO()
    console = Console(terminal, coloured=False)
    console.line("stock-consumer", 36, text.encode())
    console.say(f"stock-consumer is not ready ({text})")
    return terminal.getvalue()


def shown_by_a_log(text: str) -> str:
    """A line for people, as `make up` has it."""
    event = {"timestamp": "09:30:00.000000", "level": "info", "logger": "x", "event": "held"}
    return for_people(None, "info", {**event, "reason": text, "exception": text})


def shown_by_the_demo(text: str) -> str:
    """Where it stands in its table."""
    terminal = StringIO()
    Terminal(file=terminal).print(text, Text(text))
    return terminal.getvalue()


@pytest.mark.parametrize("control", CONTROLS, ids=ascii)
@pytest.mark.parametrize(
    "show", [shown_by_commands, shown_by_make_up, shown_by_a_log, shown_by_the_demo]
)
def test_no_control_character_reaches_a_terminal(
    show: Callable[[str], str], control: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is shown as its escape, in whichever place a stranger's text has it."""
    monkeypatch.setenv("TERM", "xterm")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", show(f"from{control}here"))  # our own colours
    assert f"from{printable(control)}here" in shown
    assert not re.search(f"[{texts.CONTROLS}]", shown.replace("\n", ""))


def test_an_error_at_a_command_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Nor do the last lines of a process that died, which are a note of it."""
    error = Misconfigured("no \x1b[2J")
    error.add_note("stock-api died; its last lines:\n    \x9b2J")
    complain(error)
    assert capsys.readouterr().err == (
        "no \\x1b[2J\nstock-api died; its last lines:\n    \\x9b2J\n"
    )


def test_what_was_done_with_a_dead_letter_is_one_line() -> None:
    """Whatever an event calls itself."""
    origin = Origin("stock-dlq", "stock", BackToQueue("stock"), tries=5)
    dead_letter = read(
        cast("Any", a_message(an_event("a", 1, event_type="A\nredriven: B"))), origin
    )
    assert "\n" not in ended(End(dead_letter, moved=False, outcome="left"))


PERSONAL = ("Grace", "Hopper", "20000001", "12-34-56", "GB29NWBK60161331926819", "MND-7")

LOGGED = """
import json, sys
import structlog
from runtime import logs
from services.payment.consumer import subscription_created

logs.configure(form=sys.argv[1], process="payment-consumer")
log, body = structlog.get_logger(), sys.argv[2]
try:
    subscription_created(None, None).handle(body)
except Exception:
    log.exception("dead-lettered", body=body, event_=json.loads(body)["detail"], raw=body.encode())
log.info(f"got {json.loads(body)!r}", headers=[(b"Authorization", b"Bearer c2lnbmF0dXJlc2lnbg")])
"""


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_log_has_personal_data(form: str) -> None:
    """Not from an event that cannot be handled, and not where a whole message were logged."""
    detail: dict[str, Any] = {
        **ORDER,
        "accountNumber": 20000001,
        "iban": "GB29NWBK60161331926819",
        "reference": "MND-7",
        "metadata": a_metadata(),
    }
    command = [sys.executable, "-c", LOGGED, form, a_body(**detail)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert "SchemaViolation" in done.stdout
    assert "accountNumber: Input should be a valid string" in done.stdout
    assert not [each for each in (*PERSONAL, "c2ln") if each in done.stdout + done.stderr]
