"""The three REST APIs, each with a client of its own: no answer is waited for longer than 5 s."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from console.settings import ConsoleSettings
from console.signing import Signed
from infra.topology import WORKLOADS
from operations.environment import Environment
from runtime.http.client_credentials import (
    ClientCredentials,
    OAuthClient,
    TokenRefused,
    TokenUnavailable,
)
from runtime.http.hosts import is_loopback

API_TIMEOUT = httpx.Timeout(5.0, connect=2.0)
CONNECTIONS = httpx.Limits(max_connections=10, max_keepalive_connections=4)


@dataclass(frozen=True)
class Api:
    """`process` is its name in the workloads; `outbox_auth` is for IAM, which /outbox is behind."""

    process: str
    domain: str
    path: str
    url: str
    client: httpx.Client
    outbox_auth: httpx.Auth | None = None

    @property
    def curl_options(self) -> list[str]:
        """What curl needs to be let in; the token is in a variable of the shell."""
        wants_token = isinstance(self.client.auth, ClientCredentials)
        return ['-H "Authorization: Bearer $TOKEN"'] if wants_token else []

    @property
    def outbox_url(self) -> str:
        return f"{self.url}/outbox"

    def resource(self, aggregate_id: str) -> str:
        """Address one row; whatever is in an id, it stays one part of the path."""
        # `.` and `..` would be other paths, and are in no id.
        part = quote(aggregate_id, safe="").replace(".", "%2E")
        return f"{self.url}/{self.path}/{part}"


def apis_of(settings: ConsoleSettings, environment: Environment) -> dict[str, Api]:
    """Make "subscription", "stock" and "payment" a client each; nothing is called yet.

    All take tokens where AUTH_TOKEN_URL is set. /outbox of another host than this one, of a system
    on AWS, is signed.
    """
    tokens = _tokens(settings, settings.auth_client_id, settings.auth_secret)
    made: dict[str, Api] = {}
    for workload in WORKLOADS:
        if workload.path is None:
            continue
        name = workload.name.removesuffix("-api")
        url: str = getattr(settings, f"{name}_api_url").rstrip("/")
        local = is_local(url, environment)
        signed = None if local else Signed(environment.aws(workload.domain), environment.region)
        made[name] = Api(
            workload.name, workload.domain, workload.path, url, _client(tokens), signed
        )
    return made


def tried_apis(
    apis: Mapping[str, Api], settings: ConsoleSettings, environment: Environment
) -> Mapping[str, Api] | None:
    """Give the APIs as Try it calls them: with tokens of its own, where tokens are required.

    None where it has no client: the console's own may only read.
    """
    tokens = _tokens(settings, settings.console_try_client_id, settings.try_secret)
    if tokens is not None:
        return {name: replace(each, client=_client(tokens)) for name, each in apis.items()}
    is_open = settings.auth_token_url is None and all(
        is_local(each.url, environment) for each in apis.values()
    )
    return apis if is_open else None


def is_local(url: str, environment: Environment) -> bool:
    """Whether an API is of a system on one machine, and not on AWS."""
    return environment.emulated or is_loopback(httpx.URL(url).host)


def _client(tokens: ClientCredentials | None) -> httpx.Client:
    return httpx.Client(auth=tokens, timeout=API_TIMEOUT, limits=CONNECTIONS, trust_env=False)


def _tokens(
    settings: ConsoleSettings, client_id: str | None, secret: SecretStr | Path | None
) -> ClientCredentials | None:
    if settings.auth_token_url is None or client_id is None or secret is None:
        return None
    scope = settings.auth_client_scope if client_id == settings.auth_client_id else None
    return ClientCredentials(OAuthClient(settings.auth_token_url, client_id, secret, scope))


def unanswered(api: Api, error: httpx.HTTPError) -> str:
    """Say why there is no answer of an API; without a token it is not asked."""
    if isinstance(error, TokenUnavailable | TokenRefused):
        return f"{api.process} was not asked: {error}"
    return f"{api.process} did not answer: {said(error)}"


def said(error: httpx.HTTPError) -> str:
    """Why a call failed; httpx's own words are empty for some."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP {error.response.status_code}"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.ConnectError):
        return "nothing listens there"
    return str(error) or type(error).__name__
