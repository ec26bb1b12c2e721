"""A proxy between the system's processes and AWS that injects faults, or holds a call.

microburst (PyPI, MIT) does most of the faults, but no batch that fails partially behind 200, so
that a proxy of our own stood in front of it either way. This one does all of it in 0.6 ms of CPU a
request and 21 MB; microburst takes 3.5 ms and 455 MB (PutEvents of ten, one at a time).
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from math import inf
from typing import Any, Literal
from urllib.parse import urlsplit

from infra.local_system.ports import LOOPBACK
from verification.testkit.http_messages import HttpMessage, answer, error, read_message
from verification.testkit.injected_fault import (
    DELAYS,
    AnyFault,
    FaultKind,
    FaultSource,
    InjectedFault,
    Late,
)
from verification.testkit.loopback import MAX_HEAD, LoopbackServer
from verification.testkit.partial_failures import Choose, PartialFailure, fail_partially

Where = Literal["before", "after"]
"""A call is held before it is applied, or with its answer after."""


class FaultProxy(LoopbackServer):
    """Forwards HTTP to `target`, an endpoint on loopback; DynamoDB's to another, if one is named.

    A call is named by its action, as in PutEvents. `calls` counts them, `distrusted` those that
    were refused for their key, `hits` requests by the kind of fault that hit them, None for those
    that went through. What is set lasts until `open`.
    """

    def __init__(self, target: str, *, dynamodb: str | None = None, seed: int = 0) -> None:
        super().__init__()
        self._target, self._dynamodb = _port(target), _port(dynamodb or target)
        self._chosen = random.Random(f"{seed}/proxy")  # noqa: S311 (not secret)
        self.fault: FaultSource | None = None
        self.trusted: tuple[Sequence[str], str] | None = None
        self._held: dict[tuple[Where, str], int] = {}
        self._waiting: Counter[tuple[Where, str]] = Counter()
        self._scripted: dict[str, tuple[Callable[[HttpMessage], InjectedFault], float]] = {}
        self._cuts = self._active = 0
        self.calls: Counter[str] = Counter()
        self.distrusted: Counter[str] = Counter()
        self.hits: Counter[AnyFault | None] = Counter()

    def inject(
        self,
        kind: AnyFault,
        chance: float = 1.0,
        *,
        service: str = "",
        delays: Sequence[float] = DELAYS,
    ) -> None:
        """Inject a fault until `recover`; a cut also resets what is under way.

        A family of failures is answered with its errors, one or the other. `service` is how the
        target of its requests begins, a service's or an action's; empty is all of AWS.
        """
        self.fault = FaultSource(kind, chance, service, delays)
        if kind is FaultKind.CUT and not service:
            self._cuts += 1
            self._do(self._abort_all)

    def recover(self) -> None:
        """End the injected fault; what else was set stays."""
        self.fault = None

    def cut(self) -> None:
        """End every connection without an answer, that of a held call too."""
        self.inject(FaultKind.CUT)

    def open(self) -> None:
        """Let everything pass again, what is held too."""
        self.fault = self.trusted = None
        self._do(self._scripted.clear)
        self.release()

    def drop(self) -> None:
        """Forget the calls of a client that is gone: on return none is under way, all may pass."""
        self.cut()
        self.call(self._until(lambda: not self._active))
        self.open()

    def hold(self, where: Where, action: str, *, passing: int = 0) -> None:
        """Hold every call of an action, but for the next `passing` ones."""
        self._do(lambda: self._held.update({(where, action): passing}))

    def reached(self, where: Where, action: str, *, timeout: float = 20) -> None:
        """Wait until a call is held there. Raises AssertionError."""
        try:
            self.call(self._until(lambda: self._waiting[where, action] > 0), timeout=timeout)
        except TimeoutError:
            message = f"no {action} was held {where} it was applied; calls: {self.calls}"
            raise AssertionError(message) from None

    def release(self) -> None:
        """Hold no calls any longer; what else was set stays."""
        self._do(self._held.clear)

    def refuse(self, action: str, status: int, code: str, *, times: float = inf) -> None:
        """Answer the next `times` calls with an AWS error, without applying them."""
        self.script(action, lambda _: error(status, code), times=times)

    def trust(self, *keys: str, code: str = "UnrecognizedClientException") -> None:
        """Take calls that these access keys signed, and answer an AWS error to all others."""
        self.trusted = keys, code

    def drop_answers(self, action: str, *, times: int) -> None:
        """Apply the next calls, then reset the connection in place of an answer."""
        self.script(action, lambda _: FaultKind.DROP, times=times)

    def fail_entries(self, choose: Choose) -> None:
        """Have entries of PutEvents fail behind HTTP 200; the others are forwarded."""
        self.script(
            "PutEvents", lambda request: fail_partially(request.action, request.json, choose)
        )

    def script(
        self, action: str, decide: Callable[[HttpMessage], InjectedFault], *, times: float = inf
    ) -> None:
        """Decide by a function what happens to each of the next calls."""
        self._do(lambda: self._scripted.update({action: (decide, times)}))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client: one request after the other."""
        upstreams = {port: Upstream(port) for port in {self._target, self._dynamodb}}
        try:
            while request := await read_message(reader):
                is_dynamodb = request.target.startswith("DynamoDB")
                upstream = upstreams[self._dynamodb if is_dynamodb else self._target]
                response = await self._counted(request, reader, upstream)
                if response is None:
                    raise ConnectionResetError
                writer.write(response.bytes)
                await writer.drain()
                if request.closes:
                    return
        finally:
            for upstream in upstreams.values():
                upstream.close()

    async def _counted(
        self, request: HttpMessage, client: asyncio.StreamReader, upstream: "Upstream"
    ) -> HttpMessage | None:
        self.calls[request.action] += 1
        self._active += 1
        try:
            return await self._respond(request, client, upstream)
        finally:
            self._active -= 1
            self._notify()

    async def _respond(
        self, request: HttpMessage, client: asyncio.StreamReader, upstream: "Upstream"
    ) -> HttpMessage | None:
        """Answer one request; None if the connection is to be reset in place of it."""
        action, source, cuts = request.action, self.fault, self._cuts
        if source and source.cuts(request):
            self.hits[FaultKind.CUT] += 1
            return None
        if not await self._passes("before", action, cuts):
            return None
        kind, fault = self._decide(request, source)
        self.hits[kind if fault else None] += 1
        response = await self._carry_out(request, fault, client, upstream)
        if fault is FaultKind.DROP or not await self._passes("after", action, cuts):
            return None
        return response

    def _decide(
        self, request: HttpMessage, source: FaultSource | None
    ) -> tuple[AnyFault | None, InjectedFault]:
        """Decide what happens to a request, and of which kind that is; None for a script's."""
        signed_with = request.header("authorization").partition("Credential=")[2].partition("/")[0]
        if self.trusted and signed_with not in self.trusted[0]:
            self.distrusted[request.action] += 1
            return FaultKind.ROTATE, error(403, self.trusted[1])
        decide, times = self._scripted.get(request.action, (None, 0))
        if decide and times:
            self._scripted[request.action] = decide, times - 1
            return None, decide(request)
        return (source.kind, source.decide(request, self._chosen)) if source else (None, None)

    async def _passes(self, where: Where, action: str, cuts: int) -> bool:
        """Wait while a call is held; False if all was cut since there were `cuts`."""
        spot = where, action
        if spot not in self._held:
            return True
        if self._held[spot] > 0:
            self._held[spot] -= 1
            return True
        self._waiting[spot] += 1
        self._notify()
        try:
            await self._until(lambda: spot not in self._held or self._cuts > cuts)
        finally:
            self._waiting[spot] -= 1
        return self._cuts == cuts

    async def _carry_out(
        self,
        request: HttpMessage,
        fault: InjectedFault,
        client: asyncio.StreamReader,
        upstream: "Upstream",
    ) -> HttpMessage | None:
        match fault:
            case float() as delay:
                if not await _unless_gone(client, asyncio.sleep(delay, result=True)):
                    return None
            case Late(seconds):
                response = await upstream.ask(request)
                await asyncio.sleep(seconds)
                return response
            case HttpMessage():
                return fault
            case PartialFailure():
                return await _ask_for_the_rest(request, fault, upstream)
        asked = upstream.ask(request)
        # A dead client's long poll takes no messages; what else was asked for is carried out.
        is_poll = request.action == "ReceiveMessage"
        return await (_unless_gone(client, asked) if is_poll else asked)


class Upstream:
    """A connection to the target, made when it is needed and kept."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: HttpMessage) -> HttpMessage | None:
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


async def _ask_for_the_rest(
    request: HttpMessage, failure: PartialFailure, upstream: Upstream
) -> HttpMessage | None:
    if failure.request is None:
        return answer(200, failure.answer({}))
    response = await upstream.ask(request.with_json(failure.request))
    if response is None or response.json is None or b" 200 " not in response.head[:16]:
        return response
    return response.with_json(failure.answer(response.json))


async def _unless_gone(client: asyncio.StreamReader, work: Coroutine[Any, Any, Any]) -> Any:
    """Do the work, unless the client goes meanwhile: then it is cancelled, and None returned.

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


def _port(endpoint: str) -> int:
    return urlsplit(endpoint).port or 0
