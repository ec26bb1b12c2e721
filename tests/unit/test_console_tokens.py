"""Where the APIs require tokens the console reads with its own, and Try it with another's."""

from base64 import b64decode

import httpx
import pytest

from console.apis import apis_of, tried_apis, unanswered
from console.requests.attempts import router
from console.settings import ConsoleSettings, environment_of
from console.signing import Signed
from runtime.errors import Misconfigured
from runtime.http.client_credentials import ClientCredentials
from runtime.settings import load
from tests.console_client import asking

TOKENS = {
    "AUTH_TOKEN_URL": "https://issuer.example/oauth2/token",
    "AUTH_CLIENT_ID": "console",
    "AUTH_CLIENT_SECRET": "hidden",
}
TRY = {"CONSOLE_TRY_CLIENT_ID": "console-try", "CONSOLE_TRY_CLIENT_SECRET": "hidden too"}
ON_AWS = {
    f"{name}_API_URL": f"https://{name.lower()}.execute-api.eu-west-1.amazonaws.com"
    for name in ("SUBSCRIPTION", "STOCK", "PAYMENT")
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    return monkeypatch


def settings(environment: pytest.MonkeyPatch, given: dict[str, str]) -> ConsoleSettings:
    for name, value in given.items():
        environment.setenv(name, value)
    return load(ConsoleSettings)


def client_id(auth: httpx.Auth | None) -> str:
    """Who a token is taken for."""
    assert isinstance(auth, ClientCredentials)
    basic = auth._client.credentials()._auth_header
    return b64decode(basic.removeprefix("Basic ")).decode().partition(":")[0]


def test_rows_are_read_with_tokens_and_outboxes_on_aws_with_a_signature(
    environment: pytest.MonkeyPatch,
) -> None:
    """A signature and a token want the same header."""
    found = settings(environment, TOKENS | ON_AWS)
    for api in apis_of(found, environment_of(found)).values():
        assert client_id(api.client.auth) == "console"
        assert isinstance(api.outbox_auth, Signed)


def test_a_local_outbox_is_read_without_a_token(environment: pytest.MonkeyPatch) -> None:
    """An API asks for none there: on AWS IAM is in front of it."""
    found = settings(environment, TOKENS)
    for api in apis_of(found, environment_of(found)).values():
        assert client_id(api.client.auth) == "console"
        assert api.outbox_auth is None


def test_try_it_has_a_client_of_its_own(environment: pytest.MonkeyPatch) -> None:
    """The console's own may only read."""
    found = settings(environment, TOKENS | TRY)
    where = environment_of(found)
    tried = tried_apis(apis_of(found, where), found, where)
    assert tried is not None
    for api in tried.values():
        assert client_id(api.client.auth) == "console-try"
        assert api.curl_options == ['-H "Authorization: Bearer $TOKEN"']


@pytest.mark.parametrize("given", [TOKENS, ON_AWS, TOKENS | ON_AWS])
def test_without_that_client_nothing_is_tried_where_tokens_are_required(
    environment: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    """The page and the routes say what to set."""
    found = settings(environment, given)
    where = environment_of(found)
    tried = tried_apis(apis_of(found, where), found, where)
    assert tried is None
    with asking(router(tried)) as console:
        for path in ("/api/try/subscriptions", "/api/try/payments/a/cancel"):
            refused = console.post(path, json={})
            assert refused.status_code == 403
            assert "CONSOLE_TRY_CLIENT_ID" in refused.json()["detail"]


def test_an_open_system_is_tried_without_tokens(environment: pytest.MonkeyPatch) -> None:
    """`make up` on loopback."""
    found = settings(environment, {})
    apis = apis_of(found, environment_of(found))
    assert tried_apis(apis, found, environment_of(found)) is apis
    assert not any(each.client.auth or each.outbox_auth for each in apis.values())


def test_an_api_that_was_not_asked_for_want_of_a_token_is_no_api_that_is_away(
    environment: pytest.MonkeyPatch,
) -> None:
    """It is the issuer that needs a look."""
    found = settings(environment, TOKENS | {"AUTH_TOKEN_URL": "http://127.0.0.1:1/token"})
    api = apis_of(found, environment_of(found))["stock"]
    with pytest.raises(httpx.HTTPError) as away:
        api.client.get(api.resource("a"))
    answer = unanswered(api, away.value)
    assert answer.startswith("stock-api was not asked: no token: the issuer does not answer at")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"AUTH_TOKEN_URL": "https://issuer.example/token"}, "AUTH_CLIENT_ID"),
        ({**TOKENS, "AUTH_CLIENT_SECRET_FILE": "/nowhere"}, "not both"),
        (TRY, "CONSOLE_TRY_CLIENT_ID"),
        ({**TOKENS, "CONSOLE_TRY_CLIENT_ID": "a"}, "CONSOLE_TRY_CLIENT_SECRET"),
        ({**TOKENS, "AUTH_TOKEN_URL": "issuer.example"}, "AUTH_TOKEN_URL"),
    ],
)
def test_half_a_client_is_refused_at_start(
    environment: pytest.MonkeyPatch, given: dict[str, str], named: str
) -> None:
    """And no secret is in what is said."""
    with pytest.raises(Misconfigured, match=named) as refused:
        settings(environment, given)
    assert "hidden" not in str(refused.value)
