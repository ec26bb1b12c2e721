"""POST /api/try/…: use the system as its clients do, and see the exact request and answer.

What a person typed is sent as it is, and the whole exchange is shown, whatever came of it.
"""

import json
import shlex
from collections.abc import Iterable, Mapping
from time import perf_counter
from typing import Any

import httpx
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from console.apis import Api, unanswered
from console.signing import shown
from operations.errors import OperatorError

WHY_NOT_TRIED = (
    "Nothing can be tried here: the APIs require tokens, and the console's own may only read. Set"
    " CONSOLE_TRY_CLIENT_ID and its secret to a client that may subscribe and cancel, beside"
    " AUTH_TOKEN_URL."
)

MOST_SHOWN = 64 * 1024
"""Characters of an answer's body."""


class OrderForm(BaseModel):
    """What was typed; nothing is checked here, the API's own answer is shown."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    idempotency_key: str | None = None


class TryingOff(OperatorError):
    """Nothing can be tried here; the message says what to set."""


def router(apis: Mapping[str, Api] | None) -> APIRouter:
    """`apis` take tokens of a client that may write; None where there is none."""
    routes = APIRouter(prefix="/api/try")

    def api_of(name: str) -> Api:
        if apis is None:
            raise TryingOff(WHY_NOT_TRIED)
        return apis[name]

    @routes.post("/subscriptions")
    def subscribe(order: OrderForm) -> dict[str, Any]:
        api, key = api_of("subscription"), order.idempotency_key
        headers = {"Idempotency-Key": key} if key else {}
        return send(api, "POST", f"{api.url}/{api.path}", order.model_extra, headers)

    @routes.post("/subscriptions/{subscription_id}/cancel")
    def end(subscription_id: str) -> dict[str, Any]:
        api = api_of("subscription")
        url = f"{api.resource(subscription_id)}/cancellation"
        return send(api, "POST", url, {"reason": "not stated"})

    @routes.post("/payments/{payment_id}/cancel")
    def cancel(payment_id: str) -> dict[str, Any]:
        api = api_of("payment")
        return send(api, "PATCH", api.resource(payment_id), {"status": "cancelled"})

    return routes


def send(
    api: Api, method: str, url: str, body: Any, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """Send JSON as it is, once; an outage is part of what is shown."""
    content = json.dumps(body, ensure_ascii=False).encode()
    named = {"Content-Type": "application/json", **(headers or {})}
    # In bytes: httpx takes no text but ASCII, and the API's answer to more is the point.
    encoded = {name.encode(): value.encode() for name, value in named.items()}
    request = api.client.build_request(method, url, content=content, headers=encoded)
    started, response, why_not = perf_counter(), None, None
    try:
        response = api.client.send(request)
    except httpx.HTTPError as error:
        why_not = unanswered(api, error)
    milliseconds = (perf_counter() - started) * 1000
    return {
        "request": {
            "method": request.method,
            "url": str(request.url),
            "headers": shown(request.headers),
            "body": request.content.decode(),
        },
        "response": _answer(response, milliseconds) if response else None,
        "error": why_not,
        "curl": curl(request, api.curl_options),
        "subscriptionId": _subscription_id(response) if response else None,
    }


def _answer(response: httpx.Response, milliseconds: float) -> dict[str, Any]:
    return {
        "status": response.status_code,
        "reason": response.reason_phrase,
        "headers": dict(response.headers),
        "body": response.text[:MOST_SHOWN],
        "milliseconds": round(milliseconds, 1),
    }


def _subscription_id(response: httpx.Response) -> str | None:
    try:
        found = response.json().get("subscriptionId") if response.is_success else None
    except (AttributeError, ValueError):
        return None
    return found if isinstance(found, str) else None


def curl(request: httpx.Request, options: Iterable[str] = ()) -> str:
    """The command that sends the same; one that is signed takes the shell's own credentials."""
    words = ["curl", "-s", *options]
    words += ["-X", request.method, shlex.quote(str(request.url))]
    for name, value in request.headers.items():
        if name in _SENT_HEADERS:
            words += ["-H", shlex.quote(f"{_SENT_HEADERS[name]}: {value}")]
    if request.content:
        words += ["-d", shlex.quote(request.content.decode())]
    return " ".join(words)


_SENT_HEADERS = {"content-type": "Content-Type", "idempotency-key": "Idempotency-Key"}
