"""The system of `docker compose up`, in a project of its own."""

import os
import subprocess
from pathlib import Path

from infra.local_system.auth import issuer_folder, secret_file
from infra.local_system.settings import LocalSettings
from local.probes import health_of
from local.process_table import our_processes
from verification.testkit.waiting import eventually

ROOT = Path(__file__).parents[2]
PORTS = Path(__file__).with_name("compose.ports.yaml")
PROJECT = "streamed-events-test"
FILES = ("--file", str(ROOT / "compose.yaml"), "--file", str(PORTS))

START_WITHIN = 300
"""Seconds for `up`, once the image is built; half a minute is usual."""


class ComposeSystem:
    """What an earlier run left behind is removed first, since only one can have the name."""

    def __init__(self, settings: LocalSettings) -> None:
        self.settings = settings
        self.remove()

    def start(self) -> None:
        try:
            self._compose(
                *("up", "--detach", "--build", "--wait"), f"--wait-timeout={START_WITHIN}"
            )
        except AssertionError as failure:
            failure.add_note(self.logs())
            raise
        if self.settings.auth:
            for client in ("demo", "staff"):
                self._fetch_secret(client)

    def stop(self) -> None:
        self._compose("down")

    def kill(self, name: str) -> None:
        self._compose("kill", name)

    def restart(self, name: str) -> None:
        self._compose("restart", "--no-deps", name)

    def wait_ready(self) -> None:
        table = our_processes(self.settings)
        eventually(
            lambda: all(health_of(process).is_ready for process in table),
            timeout=100,
            what="a ready system",
        )

    def remove(self) -> None:
        """Take containers, network and data away."""
        self._compose("down", "--volumes", "--remove-orphans")

    def logs(self) -> str:
        """What each container said last, and how it is."""
        return self._compose("ps", "--all") + self._compose("logs", "--no-color", "--tail=15")

    def _fetch_secret(self, client: str) -> None:
        """Have a client's secret where a system of this machine has it."""
        held = secret_file(Path("/var/lib/streamed/issuer"), client)
        file = secret_file(issuer_folder(self.settings), client)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self._compose("exec", "--no-TTY", "issuer", "cat", str(held)))

    def _compose(self, *arguments: str) -> str:
        """Run one command of Compose; raises AssertionError with all that it printed."""
        done = subprocess.run(
            ["docker", "compose", "--project-name", PROJECT, *FILES, *arguments],
            env={**os.environ, **self._ports, "AUTH": "1" if self.settings.auth else ""},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"docker compose {' '.join(arguments)}:\n{done.stdout}"
        return done.stdout

    @property
    def _ports(self) -> dict[str, str]:
        settings = self.settings.model_dump()
        return {name.upper(): str(settings[name]) for name in settings if name.endswith("_port")}
