"""What a signed route does with a body that never comes whole."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from fastapi import APIRouter

from runtime.http.signed_route import signed_route
from runtime.signatures import Signatures, new_secret
from tests.system import an_app


def test_a_sender_that_leaves_within_its_body_is_no_fault_of_the_service(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log has 400 and no exception, and the route is not called."""
    router = APIRouter(route_class=signed_route(Signatures([new_secret()])))
    called: list[bool] = []

    @router.post("/webhook")
    async def webhook() -> None:
        called.append(True)

    messages: list[MutableMapping[str, Any]] = [
        {"type": "http.request", "body": b'{"a"', "more_body": True},
        {"type": "http.disconnect"},
    ]
    waiting = iter(messages)
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return next(waiting)

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/webhook",
        "raw_path": b"/webhook",
        "query_string": b"",
        "headers": [(b"content-length", b"100")],
    }
    asyncio.run(an_app(router)(scope, receive, send))
    assert sent[0]["status"] == 400
    assert "request failed" not in caplog.text
    assert called == []
