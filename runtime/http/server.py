"""uvicorn's server, quiet: idle it wakes once a second, and for a stop at once."""

import asyncio
from contextlib import suppress

import uvicorn


class QuietServer(uvicorn.Server):
    """uvicorn looks ten times a second whether it is to leave: 0.1 % of a core in each process.

    This one does so every `tick` seconds, and whenever `should_exit` is set, by any thread or a
    signal's handler. The Date that it sends is as old as its last look.
    """

    tick = 1.0
    _is_to_leave = False
    _loop: asyncio.AbstractEventLoop | None = None

    @property
    def should_exit(self) -> bool:
        return self._is_to_leave

    @should_exit.setter
    def should_exit(self, wanted: bool) -> None:
        self._is_to_leave = wanted
        self.wake()

    def wake(self) -> None:
        """Have it look now; before it serves, and after, nothing happens."""
        if self._loop is not None:
            with suppress(RuntimeError):  # it has been closed meanwhile
                self._loop.call_soon_threadsafe(self._woken.set)

    async def main_loop(self) -> None:
        self._woken, self._loop = asyncio.Event(), asyncio.get_running_loop()
        while not await self.on_tick(0):  # at 0 it makes the date
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), self.tick)
            self._woken.clear()
