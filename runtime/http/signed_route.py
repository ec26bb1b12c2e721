"""Routes for webhooks: the body is verified as it was sent, before anything reads it."""

from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from runtime.http.json_bodies import AS_SENT, require_json
from runtime.http.problem_kinds import INVALID_SIGNATURE, MALFORMED
from runtime.http.problems import respond
from runtime.signatures import InvalidSignature, Signatures

log = structlog.get_logger(__name__)

SIGNED: dict[str, Any] = {
    "parameters": [
        {
            "name": name,
            "in": "header",
            "required": True,
            "description": description,
            "schema": {"type": "string", "examples": [example]},
        }
        for name, description, example in (
            ("webhook-id", "The same for each repetition.", "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"),
            ("webhook-timestamp", "Seconds since 1970, within 300 s of now.", "1795944600"),
            (
                "webhook-signature",
                "`v1,` and the HMAC-SHA256 of `id.timestamp.body` in Base64; or several of them.",
                "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
            ),
        )
    ]
}
"""The headers of Standard Webhooks, for a route's `openapi_extra`."""

_CHALLENGE = {"WWW-Authenticate": "Webhook-Signature"}
"""RFC 9110, 15.5.2: a 401 has one. No scheme is registered, so it names the header."""

Handle = Callable[[Request], Coroutine[Any, Any, Response]]


def signed_route(signatures: Signatures) -> type[APIRoute]:
    """Make the class of a router's routes: a request that is not signed gets 401, and no more."""

    class SignedRoute(APIRoute):
        def get_route_handler(self) -> Handle:
            handle = super().get_route_handler()

            async def verified(request: Request) -> Response:
                body = await _as_sent(request)
                try:
                    signatures.verify(body, request.headers)
                except InvalidSignature as error:
                    log.warning("webhook refused", reason=str(error))
                    return respond(INVALID_SIGNATURE, str(error), headers=_CHALLENGE)
                require_json(request.scope, body)
                return await handle(request)

            return verified

    return SignedRoute


async def _as_sent(request: Request) -> bytes:
    request.scope[AS_SENT] = True
    try:
        return await request.body()
    except ClientDisconnect:
        raise HTTPException(MALFORMED.status, "the body ended early") from None
