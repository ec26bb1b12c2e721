"""How long `make up` takes until it is ready, on empty engines and free ports."""

import sys
import tempfile
import time
from pathlib import Path

from local.child import running_child
from local.load.processes import wait_until
from local.settings import ROOT, LocalSettings

READY_WITHIN = 120.0


class NeverReady(Exception):
    """`make up` ended, or did not come up; its last lines are a note."""


def up_seconds() -> float:
    """Start the system as `make up` does, and stop it; raises NeverReady."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-up-") as folder,
        LocalSettings.on_free_ports(Path(folder) / "state") as settings,
    ):
        env = {
            name.upper(): str(value)
            for name, value in settings.model_dump().items()
            if name.endswith("_port") or name == "state_dir"
        }
        log = Path(folder) / "up.log"
        command = [sys.executable, "-m", "local.up"]
        started = time.monotonic()
        with running_child(
            "make up", command, env=env, cwd=ROOT, log=log, stop_within=100
        ) as child:
            is_over = wait_until(
                lambda: "ready in" in log.read_text() or child.poll() is not None,
                within=READY_WITHIN,
            )
            seconds = time.monotonic() - started
            if not is_over or "ready in" not in log.read_text():
                raise NeverReady("`make up` was not ready")
    return seconds
