"""Clients that no service wishes for, each on a raw connection."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from infra.local_system.ports import LOOPBACK

CLIENT_PATIENCE = 40.0
"""Seconds that a client hangs on: past every limit of the service."""

TRICKLE = 0.5
"""Seconds between the bytes of a slow client."""

IDLE = 8.0
"""Seconds that a connection idles after an answer: past the limit of a request's headers."""

HELD_FOREVER = "held for ever"
CLOSED = "closed without an answer"

Attack = Callable[["AttackTarget"], Awaitable[str]]


@dataclass(frozen=True)
class AttackTarget:
    """A port; `large_path` answers with kilobytes, `write_path` takes a body by POST."""

    port: int
    large_path: str
    write_path: str

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(LOOPBACK, self.port, limit=4096)


async def outcomes(target: AttackTarget, attacks: Sequence[tuple[Attack, int]]) -> Counter[str]:
    """Run a number of clients of each kind at once; how each of them ended."""

    async def one(attack: Attack) -> str:
        try:
            ended = await asyncio.wait_for(attack(target), CLIENT_PATIENCE)
        except TimeoutError:
            ended = HELD_FOREVER
        except OSError:
            ended = CLOSED
        return f"{attack.__name__.replace('_', ' ')}: {ended}"

    wanted = [one(attack) for attack, count in attacks for _ in range(count)]
    return Counter(await asyncio.gather(*wanted))


async def silent(target: AttackTarget) -> str:
    """Connects and says nothing."""
    return await _exchange(target, b"")


async def half_open(target: AttackTarget) -> str:
    """Begins its headers and says no more."""
    return await _exchange(target, b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Rest:")


async def idle_after_an_answer(target: AttackTarget) -> str:
    """Asks once, keeps its connection as a load balancer does, and asks once more on it."""
    reader, writer = await target.connect()
    try:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        first = await _received(reader, kept=True)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return _statuses(first + await _received(reader))
    finally:
        writer.close()


async def slow_headers(target: AttackTarget) -> str:
    """Sends a byte of its headers every TRICKLE."""
    return await _trickled(target, b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")


async def slow_body(target: AttackTarget) -> str:
    """Announces a body and sends a byte of it every TRICKLE."""
    return await _trickled(target, _post(target, "Content-Length: 1000"))


async def slow_chunks(target: AttackTarget) -> str:
    """Sends a body without a length, a byte every TRICKLE."""
    return await _trickled(target, _post(target, "Transfer-Encoding: chunked"), b"1\r\nx\r\n")


async def never_reads(target: AttackTarget) -> str:
    """Asks for megabytes and reads none of them."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # what is not read is not taken
    client.setblocking(False)
    await asyncio.get_running_loop().sock_connect(client, (LOOPBACK, target.port))
    reader, writer = await asyncio.open_connection(sock=client)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    request = f"GET {target.large_path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with suppress(OSError):
        for _ in range(40):
            writer.write(request)
            await writer.drain()
            if writer.is_closing():
                break
        while not writer.is_closing():
            await asyncio.sleep(TRICKLE)
            writer.write(b"G")  # a connection that is gone refuses this
            await writer.drain()
    writer.close()
    del reader
    return "dropped"


async def announces_more_than_it_sends(target: AttackTarget) -> str:
    """A Content-Length that is too long, and then silence."""
    return await _exchange(target, _post(target, "Content-Length: 100") + b"{}")


async def sends_more_than_it_announces(target: AttackTarget) -> str:
    """A Content-Length that is too short: what follows is no request."""
    return await _exchange(
        target, _post(target, "Content-Length: 2") + b"{}" + b"x" * 64 + b"\r\n\r\n"
    )


async def large_header(target: AttackTarget) -> str:
    """One header of 64 KiB."""
    return await _exchange(
        target, b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Large: " + b"x" * 65536 + b"\r\n\r\n"
    )


async def many_headers(target: AttackTarget) -> str:
    """Ten thousand headers."""
    lines = b"".join(b"X-%d: x\r\n" % number for number in range(10_000))
    return await _exchange(target, b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n")


async def endless_headers(target: AttackTarget) -> str:
    """Megabytes of headers, as fast as they are taken."""
    return await _flooded(target, b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"X-More: x\r\n" * 1000)


async def large_body(target: AttackTarget) -> str:
    """Announces 8 MB and sends them; after its refusal the connection is kept."""
    head = _post(target, "Content-Length: 8000000")
    return await _flooded(target, head, b"x" * 80_000, times=100, kept=True)


async def endless_body(target: AttackTarget) -> str:
    """Chunks without an end."""
    head = _post(target, "Transfer-Encoding: chunked")
    return await _flooded(target, head, b"2000\r\n" + b"x" * 0x2000 + b"\r\n")


async def pipelines(target: AttackTarget) -> str:
    """Twenty requests in one piece, and one answer to each."""
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    return await _exchange(target, request * 19 + last)


async def garbage(target: AttackTarget, sent: bytes) -> str:
    """Send what is no HTTP, or what two readers of HTTP could read in two ways."""
    try:
        return await asyncio.wait_for(_exchange(target, sent), CLIENT_PATIENCE)
    except TimeoutError:
        return HELD_FOREVER
    except OSError:
        return CLOSED


def _post(target: AttackTarget, framing: str) -> bytes:
    return (
        f"POST {target.write_path} HTTP/1.1\r\nHost: x\r\n"
        f"Content-Type: application/json\r\n{framing}\r\n\r\n"
    ).encode()


async def _exchange(target: AttackTarget, sent: bytes) -> str:
    """Send, wait for the connection's end, and say which statuses came."""
    reader, writer = await target.connect()
    try:
        writer.write(sent)
        received = asyncio.ensure_future(_received(reader))
        with suppress(OSError):
            await writer.drain()
        return _statuses(await received)
    finally:
        writer.close()


async def _trickled(target: AttackTarget, head: bytes, piece: bytes = b"x") -> str:
    reader, writer = await target.connect()
    received = asyncio.ensure_future(_received(reader))
    try:
        writer.write(head)
        while not received.done():
            await asyncio.sleep(TRICKLE)
            writer.write(piece)
            with suppress(OSError):
                await writer.drain()
        return _statuses(received.result())
    finally:
        received.cancel()
        writer.close()


async def _flooded(
    target: AttackTarget, head: bytes, piece: bytes, *, times: int = 100_000, kept: bool = False
) -> str:
    """Send pieces until the connection ends, or they are all sent."""
    reader, writer = await target.connect()
    received = asyncio.ensure_future(_received(reader, kept=kept))
    deadline = time.monotonic() + CLIENT_PATIENCE / 2
    try:
        writer.write(head)
        for _ in range(times):
            if received.done() or time.monotonic() > deadline:
                break
            writer.write(piece)
            with suppress(OSError):
                await writer.drain()
            await asyncio.sleep(0)
        return _statuses(await received)
    finally:
        received.cancel()
        writer.close()


async def _received(reader: asyncio.StreamReader, *, kept: bool = False) -> bytes:
    """Read to the end; a reset ends it too, after what came before.

    On a connection that may be `kept` after an answer, IDLE of silence ends it as well.
    """
    whole = bytearray()
    with suppress(ConnectionError, TimeoutError):
        while data := await asyncio.wait_for(reader.read(4096), IDLE if whole and kept else None):
            whole += data
    return bytes(whole)


def _statuses(answers: bytes) -> str:
    """Name the statuses, and whether a refusal was a problem."""
    lines = [line for line in answers.split(b"\r\n") if b"HTTP/1.1 " in line]
    found = Counter(line.rpartition(b"HTTP/1.1 ")[2][:3].decode() for line in lines)
    return (
        ", ".join(
            status if count == 1 else f"{count} x {status}"
            for status, count in sorted(found.items())
        )
        or CLOSED
    )
