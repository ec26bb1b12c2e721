"""`make up BREAK=1`: the system in the foreground, and a console that may break it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from infra.local_system.addresses import aws_endpoint, breaking_socket
from infra.local_system.settings import LocalSettings
from infra.topology import WORKLOADS
from infra.workloads import PublishesTo
from local.console import Console
from local.process import Process
from local.process_table import console_process, our_processes
from local.supervisor import Supervisor
from local.system import running_system
from local.up import up
from runtime.process.command import run_command
from runtime.process.shutdown import Stop
from verification.fault_injection.server import FaultCommands, listening
from verification.testkit.fault_proxy import FaultProxy

RELAYS = frozenset(
    each.name for each in WORKLOADS if any(isinstance(use, PublishesTo) for use in each.uses)
)
"""Those that publish."""


def main() -> int:
    return up(breakable)


@contextmanager
def breakable(settings: LocalSettings, console: Console, stop: Stop) -> Iterator[Supervisor]:
    """Run the system with its console and what breaks it; what was broken ends with the block."""
    settings = settings.model_copy(update={"breakable": True})
    with FaultProxy(aws_endpoint(settings)).running() as proxy:
        ours = [behind(proxy, each) for each in our_processes(settings)]
        beside = [console_process(settings)]
        with running_system(
            settings, console=console, stop=stop, ours=ours, beside=beside
        ) as supervisor:
            names = [each.name for each in WORKLOADS]
            breaking = FaultCommands(supervisor, proxy, names, console)
            with listening(breaking_socket(settings), breaking):
                console.say("BREAK=1: the console may stop processes and have the buses refuse")
                yield supervisor


def behind(proxy: FaultProxy, process: Process) -> Process:
    """Have a process reach AWS through the proxy, if it publishes."""
    if process.name not in RELAYS:
        return process
    return replace(process, env={**process.env, "AWS_ENDPOINT_URL": proxy.endpoint})


if __name__ == "__main__":
    run_command(main)
