"""How long `make up` takes until it is ready, on empty engines and free ports."""

import sys
import tempfile
import time
from pathlib import Path

from infra.local_system.settings import ROOT, LocalSettings
from local.child import running_child


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
            while "ready in" not in log.read_text(encoding="utf-8"):
                if child.poll() is not None:  # it gives up by itself
                    raise NeverReady("`make up` was not ready")
                time.sleep(0.05)
            seconds = time.monotonic() - started
    return seconds
