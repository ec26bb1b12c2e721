"""Who may use the console: the person at this machine, by its own page, and no other site's.

A page of another site can send requests to 127.0.0.1 (cross-site request forgery) and, with a name
of its own that it points there, read the answers (DNS rebinding). Against the first, actions need
a token that only its own page can read; against the second, the Host header must be allowed.
"""

import hmac

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.http.problem_kinds import Kind
from runtime.http.problems import respond
from runtime.settings import is_loopback

TOKEN_HEADER = "X-Console-Token"  # noqa: S105 (a header's name)

MISDIRECTED = Kind(421, "misdirected", "The console does not answer to this name")
FORBIDDEN = Kind(403, "forbidden", "This is for the console's own page")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_SAFE = {"GET", "HEAD", "OPTIONS"}


class Guarded:
    """ASGI middleware around every route."""

    def __init__(self, app: ASGIApp, *, token: str, allowed_hosts: frozenset[str]) -> None:
        self._app, self._token, self._allowed = app, token, allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(scope["method"], Headers(scope=scope))
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _refusal(self, method: str, headers: Headers) -> JSONResponse | None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            return respond(
                MISDIRECTED,
                "open the console as localhost or 127.0.0.1, or name its host in"
                " CONSOLE_ALLOWED_HOSTS",
            )
        if method in _SAFE:
            return None
        fault = self._fault(headers, host)
        return respond(FORBIDDEN, fault) if fault else None

    def _is_ours(self, host: str) -> bool:
        name = without_port(host)
        return is_loopback(name) or name in self._allowed or host.lower() in self._allowed

    def _fault(self, headers: Headers, host: str) -> str | None:
        ours = {f"http://{host.lower()}", f"https://{host.lower()}", None}
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
        if (origin and origin.lower()) not in ours or site not in {"same-origin", "none"}:
            return "another site's page asked for this: open the console itself"
        given = headers.get(TOKEN_HEADER, "")
        if hmac.compare_digest(given.encode(), self._token.encode()):
            return None
        return (
            f"an action needs the header {TOKEN_HEADER}, whose value is in GET /api/about;"
            " it is new each time the console starts: load the page again"
        )


def without_port(host: str) -> str:
    """Take the port, and the brackets of IPv6, off a Host header."""
    name = host.lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0]
