"""Runs the collections of requests against the real APIs: `python -m tools.run_requests`.

It starts the whole system on free ports with a state of its own, sends everything in
collections/ with the command line runners of the two formats, and stops it. `make requests` has
installed the runners, which are npm packages.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.local_system.addresses import addresses
from infra.local_system.auth import issuer_address, issuer_folder, secret_file
from infra.local_system.bank import local_secret
from infra.local_system.settings import ROOT, AuthSettings, LocalSettings
from local.console import Console
from local.isolation import isolate
from local.system import CANNOT_START, running_system
from runtime.process.command import complain, run_command
from verification.testkit.ports import settings_on_free_ports

COLLECTIONS = ROOT / "collections"
RUNNERS = ROOT / "build" / "npm" / "requests" / "node_modules" / ".bin"

RUN_WITHIN = 240
"""Seconds for one runner."""


def main() -> int:
    isolate(os.environ, configured_by=AuthSettings, say=complain)
    with TemporaryDirectory(prefix="streamed-requests-") as place:
        log = Path(place) / "system.log"
        with (
            settings_on_free_ports(Path(place) / "state") as settings,
            log.open("w", encoding="utf-8") as output,
            running_system(settings, console=Console(output)),
        ):
            codes = [run(command) for command in commands(variables(settings))]
        if any(codes):
            sys.stderr.write("the system's output, from its end:\n")
            sys.stderr.writelines(log.read_text(encoding="utf-8").splitlines(keepends=True)[-40:])
    return max(codes)


def variables(settings: LocalSettings) -> dict[str, str]:
    """Where the system is, and what takes a token where it requires one."""
    secret = secret_file(issuer_folder(settings), "staff")
    return {
        **{f"{name}Api": address for name, address in addresses(settings).items()},
        "issuer": issuer_address(settings),
        "clientId": "staff",
        "clientSecret": secret.read_text() if settings.auth else "",
        "webhookSecret": local_secret(settings) or "",
    }


def commands(given: dict[str, str]) -> list[Sequence[str]]:
    """One for each collection; `given` are its variables."""
    return [
        (
            *(str(RUNNERS / "newman"), "run"),
            str(COLLECTIONS / "streamed-events.postman_collection.json"),
            *(word for name, each in given.items() for word in ("--env-var", f"{name}={each}")),
            *("--reporters", "cli", "--reporter-cli-no-banner", "--color", "off"),
        ),
        (
            *(str(RUNNERS / "httpyac"), "send"),
            str(COLLECTIONS / "streamed-events.http"),
            *("--all", "--no-color", "--output", "short", "--output-failed", "response"),
            *(word for name, each in given.items() for word in ("--var", f"{name}={each}")),
        ),
    ]


def run(command: Sequence[str]) -> int:
    """Run a runner and pass its output on; returns its exit code, 1 where it did not end."""
    started, name = time.monotonic(), Path(command[0]).name
    try:
        code = subprocess.run(command, check=False, timeout=RUN_WITHIN).returncode
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"{name} did not end within {RUN_WITHIN} s\n")
        return 1
    verdict = "went well" if code == 0 else f"failed ({code})"
    sys.stdout.write(f"{name}: {verdict} in {time.monotonic() - started:.0f} s\n\n")
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    run_command(main, failures=CANNOT_START)
