"""Runs the system in the foreground: `python -m local.up`, which is `make up`."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from infra.workloads import WORKLOADS
from local.breaking.refusal import Refusal
from local.breaking.server import Breaking, listening
from local.console import Console
from local.errors import ProcessDied, Stopped
from local.ports import LOOPBACK
from local.processes import breaking_socket, console_process, our_processes, port_of
from local.settings import LocalSettings
from local.supervisor import Supervisor
from local.system import CANNOT_START, running_system
from runtime.entry import run_command
from runtime.errors import Misconfigured
from runtime.settings import load
from runtime.stopping import Stop, on_signal

FAILED, MISCONFIGURED = 1, 2
"""Exit codes; a stop that was asked for is 0."""


def main() -> int:
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
            if settings.breakable:
                console.say("BREAK=1: the console may stop processes and have the buses refuse")
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
    """Run the system with its console, which may break it where the settings say so.

    What it broke ends with this. Raises what CANNOT_START lists.
    """
    ours, beside = our_processes(settings), [console_process(settings)]
    with ExitStack() as stack:
        refusal = None
        if settings.breakable:
            refusal = stack.enter_context(Refusal.in_front_of(settings.aws_port))
            ours = [refusal.behind(each) for each in ours]
        supervisor = stack.enter_context(
            running_system(settings, console=console, stop=stop, ours=ours, beside=beside)
        )
        if refusal is not None:
            breaking = Breaking(supervisor, refusal, [each.name for each in WORKLOADS], console)
            stack.enter_context(listening(breaking_socket(settings), breaking))
        yield supervisor


def console_address(settings: LocalSettings) -> str:
    return f"http://{LOOPBACK}:{settings.console_port}"


def addresses(settings: LocalSettings) -> dict[str, str]:
    """Where each API answers, by its service: subscription, stock, payment."""
    apis = [workload.name for workload in WORKLOADS if workload.path]
    return {
        name.removesuffix("-api"): f"http://{LOOPBACK}:{port_of(name, settings)}" for name in apis
    }


if __name__ == "__main__":
    run_command(main)
