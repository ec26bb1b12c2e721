"""Clients that no service wishes for, each on a raw connection, and how each may end."""

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, replace

from infra.local_system.ports import LOOPBACK

CLIENT_PATIENCE = 40.0
"""Seconds that a client hangs on: past every limit of the service."""

TRICKLE = 0.5
"""Seconds between the bytes of a slow client."""

IDLE_SECONDS = 8.0
"""That a connection idles after an answer: past the limit of a request's headers."""

CLOSED = "closed without an answer"

ENDLESS = 100_000
"""Pieces of what a client would send for ever: it is refused, or out of patience, before."""


AN_ADDRESS_EACH = 100
"""Clients that have one address: half of what a process serves to one, so that each kind meets its
own limit and not that one. All of 127.0.0.0/8 is this machine's, on Linux."""


@dataclass(frozen=True)
class AttackTarget:
    """A port; `large_path` answers with kilobytes, `write_path` takes a body by POST.

    `client` is the address to come from.
    """

    port: int
    large_path: str
    write_path: str
    client: str = LOOPBACK

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(
            LOOPBACK, self.port, limit=4096, local_addr=(self.client, 0)
        )

    def post(self, framing: str) -> bytes:
        """The head of a request with a body."""
        return (
            f"POST {self.write_path} HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Type: application/json\r\n{framing}\r\n\r\n"
        ).encode()


@dataclass(frozen=True, eq=False)
class Attack:
    """A kind of client: the ends that it can understand, and what it does until it has one."""

    name: str
    right: AbstractSet[str]
    play: Callable[[AttackTarget], Awaitable[str]]


async def outcomes(
    target: AttackTarget, attacks: Iterable[tuple[Attack, int]]
) -> Counter[tuple[Attack, str]]:
    """Run a number of clients of each kind at once; how each of them ended.

    None of them comes from LOOPBACK, from which others ask meanwhile.
    """

    async def one(number: int, attack: Attack) -> tuple[Attack, str]:
        to = replace(target, client=f"127.0.1.{1 + number // AN_ADDRESS_EACH}")
        try:
            return attack, await asyncio.wait_for(attack.play(to), CLIENT_PATIENCE)
        except TimeoutError:
            return attack, "held for ever"
        except OSError:
            return attack, CLOSED

    wanted = [attack for attack, count in attacks for _ in range(count)]
    return Counter(await asyncio.gather(*map(one, range(len(wanted)), wanted)))


async def exchange(
    target: AttackTarget,
    head: bytes,
    piece: bytes = b"",
    *,
    times: int = 0,
    pause: float = 0.0,
    kept: bool = False,
) -> str:
    """Send a head, and a piece repeatedly; wait for the end, and say which statuses came."""
    reader, writer = await target.connect()
    received = asyncio.ensure_future(_received(reader, kept=kept))
    try:
        writer.write(head)
        with suppress(OSError):
            await writer.drain()
        for _ in range(times):
            await asyncio.sleep(pause)
            if received.done():
                break
            writer.write(piece)
            with suppress(OSError):
                await writer.drain()
        return _statuses(await received)
    finally:
        received.cancel()
        writer.close()


async def idle_after_an_answer(target: AttackTarget) -> str:
    """Ask once, keep the connection as a load balancer does, and ask once more on it."""
    reader, writer = await target.connect()
    try:
        writer.write(HEALTH + b"\r\n")
        first = await _received(reader, kept=True)
        writer.write(HEALTH + b"Connection: close\r\n\r\n")
        return _statuses(first + await _received(reader))
    finally:
        writer.close()


async def never_read(target: AttackTarget) -> str:
    """Ask for megabytes and read none of them."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # what is not read is not taken
    client.setblocking(False)
    client.bind((target.client, 0))
    await asyncio.get_running_loop().sock_connect(client, (LOOPBACK, target.port))
    reader, writer = await asyncio.open_connection(sock=client)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    request = f"GET {target.large_path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
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


HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
"""The beginning of a request that every process answers."""


async def _received(reader: asyncio.StreamReader, *, kept: bool = False) -> bytes:
    """Read to the end; a reset ends it too, after what came before.

    On a connection that may be `kept` after an answer, IDLE_SECONDS of silence end it as well.
    """
    whole = bytearray()
    with suppress(ConnectionError, TimeoutError):
        while data := await asyncio.wait_for(
            reader.read(4096), IDLE_SECONDS if whole and kept else None
        ):
            whole += data
    return bytes(whole)


def _statuses(answers: bytes) -> str:
    """Name the statuses, and how often each came."""
    lines = [line for line in answers.split(b"\r\n") if b"HTTP/1.1 " in line]
    found = Counter(line.rpartition(b"HTTP/1.1 ")[2][:3].decode() for line in lines)
    return (
        ", ".join(
            status if count == 1 else f"{count} x {status}"
            for status, count in sorted(found.items())
        )
        or CLOSED
    )
