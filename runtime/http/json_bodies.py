"""JSON bodies as RFC 8259 and RFC 7493 (I-JSON) have them: UTF-8, each name once, whole characters.

What is read in more than one way (the last of two equal names here, the first one in a log or a
proxy) is refused, with the reason, before a route sees it.
"""

import json
from collections.abc import Sequence
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.http.problem_kinds import MALFORMED, UNSUPPORTED_MEDIA_TYPE

_JSON = "application/json"
_WITH_BODY = frozenset({"PATCH", "POST", "PUT"})
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SHOWN_OF_A_NAME = 80

AS_SENT = "streamed_events.body_as_sent"
"""In the scope of a request whose route reads the body as it was sent, and checks it itself."""


class JsonBodies:
    """ASGI middleware: who reads a body gets it whole, once it is known to be JSON of that kind.

    A body that no route reads is not looked at: an unknown route is 404 whatever is sent to it. A
    client that waits for `100 Continue` is refused by its headers alone.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in _WITH_BODY:
            await self._app(scope, receive, send)
            return
        is_read = False

        async def receive_json() -> Message:
            nonlocal is_read
            if is_read or AS_SENT in scope:
                return await receive()
            is_read = True
            _check_headers(scope)
            body = bytearray()
            more = True
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    return message  # the client has left
                body += message.get("body", b"")
                more = message.get("more_body", False)
            if body:
                check(bytes(body))
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        await self._app(scope, receive_json, send)


def require_json(scope: Scope, body: bytes) -> None:
    """Raise HTTPException unless a body is JSON of that kind (400), and says that it is (415)."""
    _check_headers(scope)
    check(body)


def check(body: bytes) -> None:
    """Raise HTTPException (400), which says what is wrong, unless a body is JSON of that kind."""
    if body.startswith(_BYTE_ORDER_MARK):
        raise _malformed("the body begins with a byte order mark: send UTF-8 without one")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise _malformed(f"the body is not UTF-8, from byte {error.start} on") from None
    if "\0" in text[:2]:
        # UTF-16 or UTF-32: what JSON may begin with is ASCII, and of two or more bytes there.
        raise _malformed("the body is not UTF-8, from byte 0 on")
    try:
        found = json.loads(text, object_pairs_hook=_each_once)
    except json.JSONDecodeError as error:
        raise _malformed(f"the body is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise _malformed("the body's JSON is nested too deeply") from None
    except ValueError:
        raise _malformed("the body has a number of too many digits") from None
    if "\\u" in text and not _is_text(found):
        raise _malformed("the body has one of \\ud800 to \\udfff without its pair: no character")


def _check_headers(scope: Scope) -> None:
    """Raise HTTPException (415) for a body that does not say it is JSON, or that is encoded.

    A request without a body passes: it lacks fields instead.
    """
    headers = Headers(scope=scope)
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return
    if headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        # RFC 9110, 15.5.16, and for PATCH RFC 5789, 2.2: say what is taken.
        accept = "Accept-Patch" if scope["method"] == "PATCH" else "Accept"
        raise HTTPException(
            UNSUPPORTED_MEDIA_TYPE.status,
            f"send the body as Content-Type: {_JSON}",
            {accept: _JSON},
        )
    codings = ",".join(headers.getlist("content-encoding")).lower()
    if any(coding.strip() not in {"", "identity"} for coding in codings.split(",")):
        raise HTTPException(
            UNSUPPORTED_MEDIA_TYPE.status,
            "send the body as it is: no Content-Encoding is taken",
            {"Accept-Encoding": "identity"},
        )


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        shown = json.dumps(twice[:_SHOWN_OF_A_NAME])
        raise _malformed(f"the body names {shown} more than once")
    return found


def _is_text(found: Any) -> bool:
    """Whether all names and values are characters: a surrogate without its pair has no UTF-8."""
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _malformed(detail: str) -> HTTPException:
    return HTTPException(MALFORMED.status, detail)
