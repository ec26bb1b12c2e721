"""Shows one subscription's journey there and back: `python -m local.demo`, which is `make demo`."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from rich.box import SIMPLE_HEAD
from rich.console import Console as Terminal
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from local.console import Console
from local.errors import AlreadyRunning, with_notes
from local.isolation import REGION, isolate
from local.journey import Arrival, Customer, Flow, Hop, Stuck, follow
from local.probes import answers
from local.processes import aws_endpoint
from local.settings import LocalSettings
from local.supervisor import READY_WITHIN
from local.system import CANNOT_START, running_system
from local.up import addresses, console_address
from runtime.aws import Aws
from runtime.errors import Misconfigured
from runtime.settings import load

FAILED, MISCONFIGURED, INTERRUPTED = 1, 2, 130
"""Exit codes."""


def main() -> int:
    terminal = Terminal()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop what was started, as on Ctrl-C
    isolate(os.environ)
    try:
        settings = load(LocalSettings)
        with brought_up(settings, terminal), httpx.Client(timeout=5, trust_env=False) as http:
            logs = Aws(region=REGION, endpoint_url=aws_endpoint(settings)).client("logs")
            show(Customer(http, logs, addresses(settings)), terminal)
            if answers(f"{console_address(settings)}/readyz"):
                terminal.print(f"see it in the console: {console_address(settings)}/")
    except Misconfigured as error:
        terminal.print(str(error), style="red", highlight=False)
        return MISCONFIGURED
    except (Stuck, *CANNOT_START) as error:
        # What the processes said is in a file: the reason is among the last lines.
        terminal.print(with_notes(error), style="red", highlight=False, markup=False)
        return FAILED
    except KeyboardInterrupt:
        terminal.print("stopped")
        return INTERRUPTED
    return 0


@contextmanager
def brought_up(settings: LocalSettings, terminal: Terminal) -> Iterator[None]:
    """Use the system that runs, or run one for as long as this lasts."""
    with ExitStack() as stack:
        if is_up(settings):
            terminal.print("using the system that is already up")
        else:
            settings.state_dir.mkdir(parents=True, exist_ok=True)
            console = Console(stack.enter_context(log_of(settings).open("w")))
            terminal.print(
                f"starting the system, its output is in {log_of(settings)}", highlight=False
            )
            with terminal.status("starting"):
                try:
                    stack.enter_context(running_system(settings, console=console))
                except AlreadyRunning:
                    # Somebody else is just bringing it up, or a process of it is restarting.
                    if not is_up(settings, within=READY_WITHIN):
                        raise
                else:
                    stack.callback(terminal.print, "stopping the system")
        yield


def log_of(settings: LocalSettings) -> Path:
    """Where the output of a system that the demo started goes."""
    return settings.state_dir / "demo.log"


def is_up(settings: LocalSettings, *, within: float = 0) -> bool:
    """Whether all three APIs say that they are ready, `within` some seconds."""
    deadline = time.monotonic() + within
    while not all(answers(f"{address}/readyz") for address in addresses(settings).values()):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.1)
    return True


def show(customer: Customer, terminal: Terminal) -> None:
    """Follow both flows and keep the table up to date meanwhile; raises Stuck."""
    flows = [customer.subscribes(), customer.cancels_the_payment()]
    arrivals: dict[Hop, Arrival] = {}
    try:
        with Live(table(flows, arrivals), console=terminal, refresh_per_second=12) as live:
            for flow in flows:
                for arrival in follow(flow):
                    arrivals[arrival.hop] = arrival
                    live.update(table(flows, arrivals))
    finally:
        terminal.print()  # where the output is no terminal, Live ends in the middle of a line


def table(flows: list[Flow], arrivals: dict[Hop, Arrival]) -> Table:
    """The journey so far; what is still awaited turns."""
    rows = Table(
        title="One subscription, there and back",
        caption="ms: milliseconds since the request above",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    rows.add_column("hop", no_wrap=True)
    rows.add_column("what happened")
    rows.add_column("ms", justify="right")
    under_way = True
    for flow in flows:
        rows.add_row(f"[bold]{flow.title}[/bold]")
        hops = (flow.request, *flow.consequences)
        for hop in hops:
            if hop in arrivals:
                arrival = arrivals[hop]
                rows.add_row(f"  {hop.title}", arrival.what, f"{arrival.milliseconds:.0f}")
            else:
                rows.add_row(f"  {hop.title}", Spinner("dots") if under_way else "")
        under_way = all(hop in arrivals for hop in hops)
    return rows


if __name__ == "__main__":
    sys.exit(main())
