"""ETag and If-None-Match (RFC 9110, 8.8.3 and 13.1.2) on the routes that read one row."""

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

_PARAMETER = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "examples": ['"7d8e3ad3a2b54b1d8c1d4a2a77e0b7c5"']},
    "description": "ETags that are known already: 304 if the row still has one of them.",
}
_NOT_MODIFIED = {"description": "It is as it was: If-None-Match has its ETag."}


class TaggedRoute(APIRoute):
    """A route whose GET of one row says how its answer is called, and 304 to who has it.

    The tag is a digest of the body: it changes with anything that a reader can see.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **how: Any) -> None:
        self._is_tagged = how.get("methods") == ["GET"] and path.endswith("}")
        if self._is_tagged:
            how["openapi_extra"] = {"parameters": [_PARAMETER]}
            how["responses"] = {304: _NOT_MODIFIED, **(how.get("responses") or {})}
        super().__init__(path, endpoint, **how)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        return _tagging(handle) if self._is_tagged else handle


def _tagging(
    handle: Callable[[Request], Coroutine[Any, Any, Response]],
) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def tagged(request: Request) -> Response:
        response = await handle(request)
        digest = hashlib.blake2b(bytes(response.body), digest_size=16).hexdigest()
        headers = {"ETag": f'"{digest}"'}
        if _has(request.headers.getlist("If-None-Match"), headers["ETag"]):
            return Response(status_code=304, headers=headers)
        response.headers.update(headers)
        return response

    return tagged


def _has(sent: list[str], tag: str) -> bool:
    """Compare weakly, as If-None-Match asks for."""
    known = {each.strip().removeprefix("W/") for line in sent for each in line.split(",")}
    return not known.isdisjoint({tag, "*"})
