"""Sends what a person typed to an API, and shows the whole exchange, whatever came of it."""

import json
import shlex
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import httpx

from console.apis import Api
from console.live.measures import said
from console.signing import Signed, shown

MOST_SHOWN = 64 * 1024
"""Characters of an answer's body."""


@dataclass(frozen=True)
class Exchange:
    """One request, and its answer or why there is none."""

    request: httpx.Request
    response: httpx.Response | None
    error: str | None
    milliseconds: float
    signed: Signed | None = None

    def document(self) -> dict[str, Any]:
        return {
            "request": {
                "method": self.request.method,
                "url": str(self.request.url),
                "headers": shown(self.request.headers),
                "body": self.request.content.decode(),
            },
            "response": self._answer(),
            "error": self.error,
            "curl": curl(self.request, self.signed),
            "subscriptionId": self._subscription_id(),
        }

    def _answer(self) -> dict[str, Any] | None:
        if self.response is None:
            return None
        return {
            "status": self.response.status_code,
            "reason": self.response.reason_phrase,
            "headers": dict(self.response.headers),
            "body": self.response.text[:MOST_SHOWN],
            "milliseconds": round(self.milliseconds, 1),
        }

    def _subscription_id(self) -> str | None:
        if self.response is None or not self.response.is_success:
            return None
        try:
            found = self.response.json().get("subscriptionId")
        except (AttributeError, ValueError):
            return None
        return found if isinstance(found, str) else None


def send(
    api: Api, method: str, url: str, body: Any, headers: dict[str, str] | None = None
) -> Exchange:
    """Send JSON as it is, once; an outage is part of what is shown."""
    content = json.dumps(body, ensure_ascii=False).encode()
    named = {"Content-Type": "application/json", **(headers or {})}
    # In bytes: httpx takes no text but ASCII, and the API's answer to more is the point.
    encoded = {name.encode(): value.encode() for name, value in named.items()}
    request = api.client.build_request(method, url, content=content, headers=encoded)
    signed = api.client.auth if isinstance(api.client.auth, Signed) else None
    started = perf_counter()
    try:
        response = api.client.send(request)
    except httpx.HTTPError as error:
        why = f"{api.process} did not answer: {said(error)}"
        return Exchange(request, None, why, _since(started), signed)
    return Exchange(request, response, None, _since(started), signed)


def curl(request: httpx.Request, signed: Signed | None = None) -> str:
    """The command that sends the same; one that is signed takes the shell's own credentials."""
    words = ["curl", "-s", *(signed.curl_options if signed else [])]
    words += ["-X", request.method, shlex.quote(str(request.url))]
    for name, value in request.headers.items():
        if name in _SENT_HEADERS:
            words += ["-H", shlex.quote(f"{_SENT_HEADERS[name]}: {value}")]
    if request.content:
        words += ["-d", shlex.quote(request.content.decode())]
    return " ".join(words)


_SENT_HEADERS = {"content-type": "Content-Type", "idempotency-key": "Idempotency-Key"}


def _since(started: float) -> float:
    return (perf_counter() - started) * 1000
