"""How a body is read: whole, once, and to its end or not at all."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from runtime.http.json_bodies import JsonBodies

Messages = list[MutableMapping[str, Any]]

LEFT = {"type": "http.disconnect"}


def read_by_an_app(*sent: MutableMapping[str, Any]) -> Messages:
    """What an app receives of these messages, asked twice."""
    waiting, received = iter(sent), Messages()

    async def receive() -> MutableMapping[str, Any]:
        return next(waiting)

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        received.extend([await receive(), await receive()])

    scope = {"type": "http", "method": "POST", "headers": []}
    asyncio.run(JsonBodies(app)(scope, receive, app))  # type: ignore[arg-type]  # nothing is sent
    return received


def part(body: bytes, *, more: bool) -> MutableMapping[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_parts_come_as_one_and_what_follows_as_it_is() -> None:
    """An app that waits for its client to leave after the body hears of it."""
    assert read_by_an_app(part(b'{"a"', more=True), part(b": 1}", more=False), LEFT) == [
        part(b'{"a": 1}', more=False),
        LEFT,
    ]


def test_a_client_that_leaves_within_its_body_has_sent_none() -> None:
    """Half a body is no JSON that failed: nobody is there to be told."""
    assert read_by_an_app(part(b'{"a"', more=True), LEFT, LEFT) == [LEFT, LEFT]
