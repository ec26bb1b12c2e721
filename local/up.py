"""Runs the system in the foreground: `python -m local.up`, which is `make up`."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from infra.local_system.addresses import addresses, console_address
from infra.local_system.auth import issuer_address
from infra.local_system.settings import LocalSettings
from local.console import Console
from local.errors import ProcessDied, Stopped
from local.process_table import console_process, our_processes
from local.supervisor import Supervisor
from local.system import CANNOT_START, running_system
from runtime.errors import Misconfigured
from runtime.process.command import FAILED, MISCONFIGURED, run_command
from runtime.process.shutdown import Stop, on_signal
from runtime.settings import load


def main() -> int:
    return up(serving)


def up(serving: "Serving") -> int:
    """Run the system until Ctrl-C; the exit code says how it ended."""
    started = time.monotonic()
    console, stop = Console(sys.stdout), Stop()
    try:
        settings = load(LocalSettings)
        signal.signal(signal.SIGHUP, lambda *_: stop.request())  # the terminal was closed
        with on_signal(stop), serving(settings, console, stop) as supervisor:
            console.say(f"ready in {time.monotonic() - started:.1f} s")
            console.say(f"  {'console':<13} {console_address(settings)}/")
            for name, address in addresses(settings).items():
                console.say(f"  {name:<13} {address}/docs")
            if settings.auth:
                console.say(f"  {'issuer':<13} {issuer_address(settings)}/token")
            console.say(f"Ctrl-C stops it; its state stays in {settings.state_dir}")
            try:
                supervisor.supervise()
            except ProcessDied as death:
                console.say(f"stopping, because {death.process.name} died")
                raise
            console.say("stopping")
    except Stopped:
        pass
    except Misconfigured as error:
        console.say(str(error))
        return MISCONFIGURED
    except CANNOT_START as error:
        console.say(str(error))
        return FAILED
    console.say("stopped")
    return 0


@contextmanager
def serving(settings: LocalSettings, console: Console, stop: Stop) -> Iterator[Supervisor]:
    """Run the system with its console. Raises what CANNOT_START lists."""
    if settings.breakable:
        raise Misconfigured(
            "BREAK is for `make up BREAK=1`: python -m verification.fault_injection"
        )
    ours, beside = our_processes(settings), [console_process(settings)]
    with running_system(
        settings, console=console, stop=stop, ours=ours, beside=beside
    ) as supervisor:
        yield supervisor


Serving = Callable[[LocalSettings, Console, Stop], AbstractContextManager[Supervisor]]


if __name__ == "__main__":
    run_command(main)
