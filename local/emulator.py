"""MiniStack for programs of this machine, and no web page: `python -m local.emulator`.

MiniStack itself lets every page read what it holds (`Access-Control-Allow-Origin: *`): any site
that is open in a browser beside it. compose.yaml runs this in MiniStack's own image, together with
runtime/http/hosts.py: both need nothing else but the standard library.
"""

import os
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from importlib import import_module
from typing import Any

from runtime.http.hosts import hosts_in, is_allowed

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
"""As ASGI has them; the image of MiniStack has no library with these types."""

Headers = Iterable[tuple[bytes, bytes]]

ALLOWED_HOSTS_VARIABLE = "EMULATOR_ALLOWED_HOSTS"
"""Names beside loopback's by which other containers ask for it, with commas between them."""


class GuardedEmulator:
    """ASGI middleware around the emulator.

    A request for another host (DNS rebinding) is 421, one that a browser sent 403: it carries
    `Origin` or `Sec-Fetch-*`, which no SDK sends and no page can leave out. A WebSocket is refused.
    """

    def __init__(self, app: Application, allowed_hosts: frozenset[str]) -> None:
        self._app, self._allowed = app, allowed_hosts

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        async def send_without_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    each
                    for each in message.get("headers", ())
                    if not each[0].lower().startswith(b"access-control-")
                ]
            await send(message)

        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http" and (refusal := self._refusal(scope["headers"])):
            await _answer(*refusal, send)
        else:
            await self._app(scope, receive, send_without_cors)

    def _refusal(self, headers: Headers) -> tuple[int, str] | None:
        """The status and the sentence, where a request is refused."""
        host = next((value for name, value in headers if name.lower() == b"host"), b"")
        if not is_allowed(host.decode("latin-1"), self._allowed):
            return 421, "ask for the emulator as 127.0.0.1 or localhost"
        for name, _ in headers:
            if name.lower() == b"origin" or name.lower().startswith(b"sec-fetch-"):
                return 403, "the emulator answers to programs, and to no web page or browser"
        return None


async def _answer(status: int, sentence: str, send: Send) -> None:
    body = f"{sentence}\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    """Serve until SIGTERM, as `ministack` does and by its variables."""
    ministack: Any = import_module("ministack.app")
    allowed = hosts_in(os.environ.get(ALLOWED_HOSTS_VARIABLE, ""))
    ministack.app = GuardedEmulator(ministack.app, allowed)  # what its main serves
    ministack.main()


if __name__ == "__main__":
    main()
