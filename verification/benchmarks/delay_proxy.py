"""A far-away AWS: every answer comes so many milliseconds later.

`delay_proxy PORT TARGET_PORT MILLISECONDS`, on loopback. It looks at no byte, so it costs little
and serves any protocol in which one side asks and the other answers. Connections are opened without
the delay: clients keep them.
"""

import asyncio
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from infra.local_system.ports import LOOPBACK
from infra.local_system.settings import ROOT
from local.child import running_child, wait_until_listening
from verification.testkit.engines import Engines
from verification.testkit.ports import reserved_ports

CHUNK = 256 * 1024


@contextmanager
def delayed(engines: Engines, milliseconds: int) -> Iterator[Mapping[str, str]]:
    """Run the proxy until the block ends; gives the settings of a process that is so far away."""
    target = engines.endpoint.rpartition(":")[2]
    what = "the delaying proxy"
    with reserved_ports(1) as (port,):
        command = [sys.executable, "-m", "verification.benchmarks.delay_proxy"]
        command += [str(port), target, str(milliseconds)]
        log = engines.folder / f"delay-proxy-{port}.log"
        with running_child(what, command, cwd=ROOT, log=log) as child:
            wait_until_listening(port, timeout=60, what=what, child=child)
            yield {"AWS_ENDPOINT_URL": f"http://{LOOPBACK}:{port}"}


async def serve(port: int, target: int, seconds: float) -> None:
    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward_reader, onward = await asyncio.open_connection(LOOPBACK, target)
        await asyncio.gather(_pass_on(reader, onward), _delay(onward_reader, writer, seconds))

    async with await asyncio.start_server(meet, LOOPBACK, port) as server:
        await server.serve_forever()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _delay(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float
) -> None:
    """Hold each piece for so long after it came; none waits for the piece before it."""
    loop = asyncio.get_running_loop()
    with suppress(ConnectionError):
        while data := await reader.read(CHUNK):
            loop.call_later(seconds, writer.write, data)
    loop.call_later(seconds, writer.close)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 1000))
