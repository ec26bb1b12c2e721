"""The three REST APIs, each with a client of its own: no answer is waited for longer than 5 s."""

from dataclasses import dataclass
from urllib.parse import quote

import httpx

from console.settings import ConsoleSettings
from console.signing import Signed
from infra.topology import WORKLOADS
from operations.environment import Environment
from runtime.http.hosts import is_loopback

API_TIMEOUT = httpx.Timeout(5.0, connect=2.0)
CONNECTIONS = httpx.Limits(max_connections=10, max_keepalive_connections=4)


@dataclass(frozen=True)
class Api:
    """`process` is its name in the workloads."""

    process: str
    domain: str
    path: str
    url: str
    client: httpx.Client

    @property
    def curl_options(self) -> list[str]:
        """What curl needs to be let in."""
        return self.client.auth.curl_options if isinstance(self.client.auth, Signed) else []

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

    What is asked of another host than this one, of a system on AWS, is signed.
    """
    made: dict[str, Api] = {}
    for workload in WORKLOADS:
        if workload.path is None:
            continue
        name = workload.name.removesuffix("-api")
        url: str = getattr(settings, f"{name}_api_url").rstrip("/")
        local = environment.emulated or is_loopback(httpx.URL(url).host)
        auth = None if local else Signed(environment.aws(workload.domain), environment.region)
        client = httpx.Client(auth=auth, timeout=API_TIMEOUT, limits=CONNECTIONS, trust_env=False)
        made[name] = Api(workload.name, workload.domain, workload.path, url, client)
    return made


def said(error: httpx.HTTPError) -> str:
    """Why a call failed; httpx's own words are empty for some."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP {error.response.status_code}"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.ConnectError):
        return "nothing listens there"
    return str(error) or type(error).__name__
