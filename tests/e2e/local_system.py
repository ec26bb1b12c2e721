"""The system of `make up`: operating-system processes, without Docker."""

import io
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace

from infra.local_system.settings import LocalSettings
from local.console import Console
from local.process_table import our_processes
from local.supervisor import Supervisor
from local.system import running_system


class LocalSystem:
    """What the settings describe; `environment` is laid over that of each process.

    `output` is what they wrote so far, each line after the name of its process.
    """

    def __init__(
        self, settings: LocalSettings, environment: Mapping[str, str] | None = None
    ) -> None:
        self.settings, self._environment = settings, environment or {}
        self._running, self.output = ExitStack(), io.StringIO()
        self._supervisor: Supervisor

    def start(self) -> None:
        """Return when everything is at work; what was stored before a stop is there."""
        console = Console(self.output, coloured=False)
        ours = [
            replace(each, env={**each.env, **self._environment})
            for each in our_processes(self.settings)
        ]
        self._supervisor = self._running.enter_context(
            running_system(self.settings, console=console, ours=ours)
        )

    def stop(self) -> None:
        self._running.close()

    remove = stop

    def kill(self, name: str) -> None:
        """End a process as kill -9 does; it is not started again."""
        self._supervisor.kill(name)

    def restart(self, name: str) -> None:
        """Start a process of ours, after it is stopped if it runs; it need not be at work yet."""
        self._supervisor.restart(name)

    def wait_ready(self) -> None:
        self._supervisor.wait_ready()

    def logs(self) -> str:
        return self._supervisor.last_words()
