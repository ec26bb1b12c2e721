"""A stop that no client notices: the listener stays open while requests still come.

What routes them learns late that a process leaves: Cloud Map and API Gateway go on for seconds.
"""

from collections.abc import Callable
from time import monotonic
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from runtime.http.server import QuietServer

CLOSE = (b"connection", b"close")


class DrainingServer(QuietServer):
    """Serves for `drain` seconds after a signal, then stops accepting; a second signal ends that.

    From the first signal on `app` is not ready, and each answer is its connection's last: a client
    that kept one would send its next request on a connection that we are closing.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        app: Starlette,
        *,
        drain: float,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__(config)
        self._app, self._drain, self._clock = app, drain, clock
        self._leaves_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self._drain or self._leaves_at is not None:
            super().handle_exit(sig, frame)
            return
        self._leaves_at = self._clock() + self._drain
        self._app.state.draining = True
        self.tick = 0.1
        self.config.encoded_headers.append(CLOSE)  # from the next look on
        self.wake()

    async def on_tick(self, counter: int) -> bool:
        if self._leaves_at is not None and self._clock() >= self._leaves_at:
            self.should_exit = True
        return await super().on_tick(counter)
