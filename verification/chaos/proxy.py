"""A proxy between our processes and AWS that can be made to misbehave.

microburst (PyPI, MIT) does most of this, but no batch that half-fails behind 200, so that a proxy
of our own stood in front of it either way. This one does all of it in 0.6 ms of CPU a request and
21 MB; microburst takes 3.5 ms and 455 MB (PutEvents of ten, one at a time).
"""

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self

from infra.local_system.ports import LOOPBACK
from verification.chaos.mischief import PASS, Mischief, decide
from verification.chaos.schedule import Kind, Trouble
from verification.chaos.wire import MAX_HEAD, Message, answer, read_message


@dataclass(frozen=True)
class Misbehaviour:
    """The fault that is on; `chance` is the share of the requests it hits of those it is for.

    It is for those whose target begins with `target`.
    """

    kind: Trouble
    chance: float
    target: str


class Proxy:
    """Forwards HTTP to `target`, a port on loopback; runs in a thread of its own.

    `hits` counts requests by the kind of fault that hit them, None for those that went through.
    """

    def __init__(self, target: int, *, seed: int = 0) -> None:
        self._target = target
        self._chosen = random.Random(f"{seed}/proxy")  # noqa: S311 (not secret)
        self._trouble: Misbehaviour | None = None
        self._key = ""
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self.hits: Counter[Trouble | None] = Counter()
        self.port = 0

    @contextmanager
    def running(self) -> Iterator[Self]:
        thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        thread.start()
        server = self._call(asyncio.start_server(self._serve, LOOPBACK, 0, limit=MAX_HEAD))
        self.port = int(server.sockets[0].getsockname()[1])
        try:
            yield self
        finally:
            self._call(self._end(server))
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    def misbehave(self, kind: Trouble, chance: float = 1.0, *, service: str = "") -> None:
        """Misbehave in this way until `behave`; a cut also resets what is under way.

        A family of failures is answered with its errors, one or the other.

        `service` is how the target of its requests begins, a service's or an action's; empty is
        all of AWS.
        """
        self._trouble = Misbehaviour(kind, chance, service)
        if kind is Kind.CUT and not service:
            self._loop.call_soon_threadsafe(self._reset_all)

    def behave(self) -> None:
        self._trouble = None

    def trust(self, key: str) -> None:
        """Refuse from now on whatever another access key signed: AWS has deleted it."""
        self._key = key

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    async def _end(self, server: asyncio.Server) -> None:
        server.close()
        self._reset_all()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _reset_all(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client: one request after the other, over one connection to the target."""
        self._open.add(writer)
        upstream = Upstream(self._target)
        try:
            while request := await read_message(reader):
                if not await self._answer(request, reader, writer, upstream) or request.closes:
                    break
        except (ConnectionError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # the client sees a reset, which is what it would have seen without us
        finally:
            upstream.close()
            writer.transport.abort()
            self._open.discard(writer)

    async def _answer(
        self,
        request: Message,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream: "Upstream",
    ) -> bool:
        """Answer one request; False if the connection is to be reset in place of it."""
        if self._key and f"Credential={self._key}/" not in request.header("authorization"):
            self.hits[Kind.ROTATE] += 1
            writer.write(_UNKNOWN_KEY.bytes)
            await writer.drain()
            return True
        trouble = self._trouble
        if trouble and not request.target.startswith(trouble.target):
            trouble = None
        if trouble and trouble.kind is Kind.CUT:
            self.hits[Kind.CUT] += 1
            return False
        mischief = decide(trouble.kind, trouble.chance, request, self._chosen) if trouble else PASS
        self.hits[trouble.kind if trouble and mischief is not PASS else None] += 1
        response = await _unless_gone(reader, _carry_out(request, mischief, upstream))
        if response is None or mischief.reset:
            return False
        writer.write(response.bytes)
        await writer.drain()
        return True


_UNKNOWN_KEY = answer(403, {"__type": "UnrecognizedClientException", "message": "chaos"})


class Upstream:
    """A connection to the target, made when it is needed and kept."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: Message) -> Message | None:
        """Send a request and return the answer; None if the target does not give one."""
        with suppress(ConnectionError):
            if self._streams and self._streams[0].at_eof():  # it was idle, and the target hung up
                self.close()
            if self._streams is None:
                self._streams = await asyncio.open_connection(LOOPBACK, self._port, limit=MAX_HEAD)
            reader, writer = self._streams
            writer.write(request.bytes)
            await writer.drain()
            response = await read_message(reader)
            if response is None or response.closes:
                self.close()
            return response
        self.close()
        return None

    def close(self) -> None:
        if self._streams:
            self._streams[1].transport.abort()
            self._streams = None


async def _carry_out(request: Message, mischief: Mischief, upstream: Upstream) -> Message | None:
    await asyncio.sleep(mischief.delay)
    if mischief.instead:
        return mischief.instead
    if mischief.half is None:
        return await upstream.ask(request)
    if mischief.half.request is None:
        return answer(200, mischief.half.answer({}))
    response = await upstream.ask(request.with_json(mischief.half.request))
    if response is None or response.json is None or b" 200 " not in response.head[:16]:
        return response
    return response.with_json(mischief.half.answer(response.json))


async def _unless_gone(
    client: asyncio.StreamReader, work: Coroutine[Any, Any, Message | None]
) -> Message | None:
    """Do the work, unless the client goes meanwhile: a dead one's long poll takes no messages.

    Our clients send nothing before they have their answer: what can be read is the end.
    """
    doing, gone = asyncio.ensure_future(work), asyncio.ensure_future(client.read(1))
    try:
        await asyncio.wait({doing, gone}, return_when=asyncio.FIRST_COMPLETED)
        return doing.result() if doing.done() else None
    finally:
        for task in (doing, gone):
            task.cancel()
        await asyncio.gather(doing, gone, return_exceptions=True)
