"""`streamed webhook send`: what it sends, and what it says when that is refused."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.domains.payments import WEBHOOK_PATH
from infra.local_system.bank import make_secret, secret_file
from infra.local_system.ports import LOOPBACK
from infra.local_system.settings import LocalSettings
from operations.__main__ import AWAY, CANNOT, main
from runtime.signatures import Signatures, new_secret
from tests.threads import served
from verification.testkit.ports import reserved_ports, settings_on_free_ports

PROBLEM = json.dumps({"detail": "there is no payment one"})


class Receiver(ThreadingHTTPServer):
    """Answers each POST the same, and keeps it."""

    def __init__(self, port: int, status: int, text: str = "") -> None:
        super().__init__((LOOPBACK, port), Received)
        self.status, self.text = status, text
        self.requests: list[tuple[str, bytes, dict[str, str]]] = []


class Received(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((self.path, body, headers))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.text.encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalSettings]:
    """A system of `make up` whose payment API a test takes the place of."""
    with settings_on_free_ports(tmp_path) as settings:
        monkeypatch.setenv("STATE_DIR", str(tmp_path))
        monkeypatch.setenv("PAYMENT_API_PORT", str(settings.payment_api_port))  # type: ignore[attr-defined]
        yield settings


@contextmanager
def receiving(settings: LocalSettings, status: int, text: str = "") -> Iterator[Receiver]:
    port: int = settings.payment_api_port  # type: ignore[attr-defined]
    receiver = Receiver(port, status, text)
    with served(receiver):
        yield receiver


def test_it_signs_with_the_secret_of_make_up(
    settings: LocalSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    """To the payment API, for the reason that a payer cancelled."""
    make_secret(secret_file(settings))
    with receiving(settings, 204) as receiver:
        assert main(["webhook", "send", "one"]) == 0
    ((path, body, headers),) = receiver.requests
    assert path == WEBHOOK_PATH
    assert json.loads(body)["data"] == {"paymentId": "one", "reasonCode": "1"}
    Signatures([secret_file(settings).read_text().strip()]).verify(body, headers)
    assert "204: http://127.0.0.1:" in capsys.readouterr().out


def test_it_signs_with_a_secret_that_is_given_for_an_url(
    settings: LocalSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first of WEBHOOK_SECRETS, whatever `make up` has; with --json it prints a document."""
    given = new_secret()
    monkeypatch.setenv("WEBHOOK_SECRETS", f"{given},{new_secret()}")
    make_secret(secret_file(settings))
    with receiving(settings, 204) as receiver:
        url = f"http://127.0.0.1:{receiver.server_address[1]}/elsewhere"
        assert main(["webhook", "send", "one", "--reason", "B", "--url", url, "--json"]) == 0
    ((path, body, headers),) = receiver.requests
    assert path == "/elsewhere"
    assert json.loads(body)["data"]["reasonCode"] == "B"
    Signatures([given]).verify(body, headers)
    assert json.loads(capsys.readouterr().out) == {
        "url": url,
        "status": 204,
        "webhookId": headers["webhook-id"],
    }


@pytest.mark.parametrize(
    ("status", "text", "code", "said"),
    [
        (404, PROBLEM, CANNOT, "refused it (404): there is no payment one"),
        (401, '{"detail": "too old"}', CANNOT, "refused it (401): too old"),
        (302, "", CANNOT, "refused it (302): Found"),
        (404, "<html>", CANNOT, "refused it (404): Not Found"),
        (503, '{"detail": "MongoDB is unavailable"}', AWAY, "MongoDB is unavailable"),
        (502, "[]", AWAY, "Bad Gateway"),
    ],
)
def test_what_is_not_taken_is_said(
    settings: LocalSettings,
    capsys: pytest.CaptureFixture[str],
    *,
    status: int,
    text: str,
    code: int,
    said: str,
) -> None:
    """With the problem's own words; 75 for what may be sent again."""
    make_secret(secret_file(settings))
    with receiving(settings, status, text):
        assert main(["webhook", "send", "one"]) == code
    assert said in capsys.readouterr().err


def test_a_receiver_that_does_not_listen_is_said(
    settings: LocalSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its address; the command may be run again."""
    make_secret(secret_file(settings))
    with reserved_ports(1) as (port,):
        url = f"http://127.0.0.1:{port}/x"
        assert main(["webhook", "send", "one", "--url", url]) == AWAY
    assert f"{url} is unavailable: " in capsys.readouterr().err


@pytest.mark.parametrize("url", ["ftp://x/", "x", "http://\x00/"])
def test_an_url_that_is_none_is_said(
    settings: LocalSettings, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    """It names the option."""
    make_secret(secret_file(settings))
    assert main(["webhook", "send", "one", "--url", url]) == CANNOT
    assert "--url" in capsys.readouterr().err


def test_without_a_secret_it_says_where_one_comes_from(
    settings: LocalSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make up` never ran there."""
    assert main(["webhook", "send", "one"]) == CANNOT
    said = capsys.readouterr().err
    assert "make up" in said
    assert str(settings.state_dir) in said


def test_a_secret_that_was_spoiled_is_said_by_its_file(
    settings: LocalSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without what is in it."""
    secret_file(settings).write_text("whsec_abc")
    assert main(["webhook", "send", "one"]) == CANNOT
    said = capsys.readouterr().err
    assert f"{secret_file(settings)}: secret 1 is malformed" in said
    assert "abc" not in said.replace(str(settings.state_dir), "")
