"""GET /api/live: what happens, as server-sent events."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter, Response
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from console.live.hub import Hub, Listener

KEEP_ALIVE = 15.0
"""Seconds of silence after which a comment shows that the connection lives."""


def router(hub: Hub) -> APIRouter:
    routes = APIRouter(prefix="/api")

    @routes.get("/live")
    async def live() -> Response:
        return _Stream(hub, hub.join(asyncio.get_running_loop()))

    return routes


class _Stream(StreamingResponse):
    """Leaves the hub however the connection ends."""

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, page: Listener) -> None:
        self._hub, self._page = hub, page
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(_written(page), headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._hub.leave(self._page)


async def _written(page: Listener) -> AsyncIterator[bytes]:
    yield b": the console\n\n"
    while not page.closed:
        found = await page.take(KEEP_ALIVE)
        yield b"".join(found) or b": still here\n\n"
