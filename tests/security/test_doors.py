"""The doors beside the tokens: who may ask at all, and what no text of a stranger may do."""

import stat
from pathlib import Path

import boto3
import pytest

from infra.local_system.environment import REGION
from local.system import only_one
from runtime.errors import Misconfigured
from runtime.settings import ApiSettings, load
from tests.conftest import MiniStack
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
    """The SDK, by each name of loopback; CORS headers leave it for nobody."""
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
    """Or it does not start: nobody opens it by forgetting something."""
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
