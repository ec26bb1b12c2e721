"""What goes to an API on AWS is signed, and nobody who looks at the page can sign with it."""

from pathlib import Path

import httpx
import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, UnauthorizedSSOTokenError

from console.apis import apis_of
from console.settings import ConsoleSettings, environment_of
from console.signing import Signed, shown
from runtime.aws import Aws
from runtime.settings import load

URL = "https://abc.execute-api.eu-west-1.amazonaws.com"


KEYS = ReadOnlyCredentials("AKIDEXAMPLE", "secret", "session-token")


class SignerAws(Aws):
    """With these credentials, and the next ones once they were refused; or none, or an error."""

    def __init__(self, *keys: ReadOnlyCredentials | BotoCoreError | None) -> None:
        super().__init__(region="eu-west-1")
        self._keys = list(keys)

    def credentials(self) -> ReadOnlyCredentials | None:
        if isinstance(self._keys[0], BotoCoreError):
            raise self._keys[0]
        return self._keys[0]

    def has_other_credentials(self) -> bool:
        del self._keys[0]
        return bool(self._keys)


def signed(*keys: ReadOnlyCredentials | BotoCoreError | None) -> Signed:
    return Signed(SignerAws(*keys), "eu-west-1")


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ConsoleSettings:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("SUBSCRIPTION_API_URL", URL)
    return load(ConsoleSettings)


def test_a_request_to_aws_carries_a_signature_and_the_session() -> None:
    """API Gateway checks the signature, and the token of a role's session with it."""
    seen: list[httpx.Request] = []

    def take(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    with httpx.Client(auth=signed(KEYS), transport=httpx.MockTransport(take)) as client:
        client.get(f"{URL}/outbox")
    sent = seen[0].headers
    assert sent["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-west-1/execute-api/aws4_request" in sent["authorization"]
    assert sent["x-amz-security-token"] == "session-token"
    assert shown(sent)["authorization"] == "…"
    assert shown(sent)["x-amz-security-token"] == "…"


def test_another_body_has_another_signature() -> None:
    """What was changed on its way is refused."""
    auth = signed(KEYS)

    def signature(body: str) -> str:
        request = httpx.Request("POST", f"{URL}/subscriptions", content=body)
        return str(next(auth.auth_flow(request)).headers["authorization"]).rpartition("=")[2]

    assert signature("a") != signature("b")


def test_nobody_to_sign_for_is_said() -> None:
    """And how to mend it."""
    with pytest.raises(httpx.RequestError, match="AWS_PROFILE"):
        next(signed(None).auth_flow(httpx.Request("GET", URL)))


def test_a_refused_request_is_signed_with_the_next_keys() -> None:
    """Once, and without the session token of the first: the keys were rotated."""
    seen: list[str] = []

    def refuse_old(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("x-amz-security-token", "none"))
        if "Credential=NEW/" in request.headers["authorization"]:
            return httpx.Response(200)
        return httpx.Response(403, headers={"x-amzn-ErrorType": "ExpiredTokenException"})

    auth = signed(KEYS, ReadOnlyCredentials("NEW", "secret", None))
    with httpx.Client(auth=auth, transport=httpx.MockTransport(refuse_old)) as client:
        assert client.get(URL).status_code == 200
    assert seen == ["session-token", "none"]


def test_a_session_that_ended_is_an_api_that_does_not_answer() -> None:
    """The console shows the reason where the API's state would be, and asks again."""
    auth = signed(UnauthorizedSSOTokenError())
    with httpx.Client(auth=auth) as client, pytest.raises(httpx.RequestError, match="SSO"):
        client.get(URL)


def test_only_an_outbox_on_aws_is_asked_for_with_a_signature(
    settings: ConsoleSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An emulator's system has nobody to ask, and neither has a proxy on loopback that signs."""
    apis = apis_of(settings, environment_of(settings))
    assert {name for name, each in apis.items() if each.outbox_auth} == {"subscription"}
    assert not any(each.client.auth for each in apis.values())
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    emulated = load(ConsoleSettings)
    apis = apis_of(emulated, environment_of(emulated))
    assert not any(each.outbox_auth for each in apis.values())
