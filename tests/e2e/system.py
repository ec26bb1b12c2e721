"""The whole system as a test may start, break and stop it, whatever it runs on."""

from typing import Protocol

from infra.local_system.settings import LocalSettings


class System(Protocol):
    """`settings` says where on loopback each API, worker and engine is."""

    @property
    def settings(self) -> LocalSettings: ...

    def start(self) -> None:
        """Return when everything is at work; what was stored before a stop is there."""

    def stop(self) -> None:
        """End everything in order; what was stored stays."""

    def kill(self, name: str) -> None:
        """End a process of ours as kill -9 does; nobody starts it again."""

    def restart(self, name: str) -> None:
        """Start a process of ours, after it is stopped if it runs; it need not be at work yet."""

    def wait_ready(self) -> None:
        """Return when every process of ours is at work."""

    def logs(self) -> str:
        """What each process said last, and how it is."""
