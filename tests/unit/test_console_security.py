"""Who may use the console: its own page on this machine, and no other site's."""

from collections.abc import Mapping

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from console.security import HEADERS, TOKEN_HEADER, Guarded

TOKEN = "right"
HERE = "127.0.0.1:8000"


@pytest.fixture
def client() -> TestClient:
    """An app with one route to read and one that acts, behind the guard."""
    app = FastAPI()

    @app.get("/read")
    async def read() -> str:
        return "read"

    @app.post("/act")
    @app.delete("/act")
    async def act() -> str:
        return "done"

    app.add_middleware(Guarded, token=TOKEN, allowed_hosts=frozenset({"console.example"}))
    return TestClient(app, base_url=f"http://{HERE}")


def act(client: TestClient, headers: Mapping[str, str], method: str = "POST") -> httpx.Response:
    answer: httpx.Response = client.request(
        method, "/act", headers={TOKEN_HEADER: TOKEN, **headers}
    )
    return answer


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_our_own_page_may_act(client: TestClient, method: str) -> None:
    """Its requests carry the token, and say that they come from here."""
    ours = {"Origin": f"http://{HERE}", "Sec-Fetch-Site": "same-origin"}
    assert act(client, ours, method).json() == "done"


@pytest.mark.parametrize("token", [None, "", "wrong", "righ", "right ", "r\u00efght"])
def test_without_the_token_nothing_is_done(client: TestClient, token: str | None) -> None:
    """Another site's page cannot read it, and so cannot send it; a plain form sends no header."""
    answer = client.post("/act", headers={} if token is None else {TOKEN_HEADER: token.encode()})
    assert answer.status_code == 403
    assert "/api/about" in answer.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
    ],
)
def test_another_sites_page_may_not_act_even_with_the_token(
    client: TestClient, headers: dict[str, str]
) -> None:
    """The browser says where a request comes from; another port is another site."""
    assert act(client, headers).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8000", "10.0.0.1"]
)
def test_another_name_for_this_machine_is_misdirected(client: TestClient, host: str) -> None:
    """A site that points its own name here (DNS rebinding) reads nothing, not even the token."""
    answer = client.get("/read", headers={"Host": host})
    assert answer.status_code == 421
    assert "CONSOLE_ALLOWED_HOSTS" in answer.json()["detail"]


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "[::1]:8000", "127.0.0.1", "Console.Example:80"]
)
def test_names_of_this_machine_and_allowed_ones_are_answered(client: TestClient, host: str) -> None:
    """With and without a port, in any case."""
    assert client.get("/read", headers={"Host": host}).json() == "read"


def test_every_answer_carries_the_policies(client: TestClient) -> None:
    """Refusals and errors, too: whatever a browser may be shown."""
    for answer in (
        client.get("/read"),
        client.get("/nothing"),
        client.post("/act"),
        client.get("/read", headers={"Host": "evil.example"}),
    ):
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
