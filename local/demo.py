"""Shows one subscription's journey there and back: `python -m local.demo`, which is `make demo`.

With `--out-of-stock`, which is `make demo OUT_OF_STOCK=1`, one for which no razors are left.
"""

import argparse
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TextIO

import httpx
from rich.box import SIMPLE_HEAD
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table

from infra.local_system.addresses import addresses, aws_endpoint, console_address
from infra.local_system.auth import client_tokens
from infra.local_system.bank import local_secret
from infra.local_system.environment import REGION
from infra.local_system.ports import is_listening
from infra.local_system.settings import LocalSettings
from local.console import Console
from local.errors import AlreadyRunning
from local.isolation import isolate
from local.journey import Arrival, Customer, Flow, JourneyHop, Stuck, follow
from local.out_of_stock import Warehouse
from local.probes import answers, ask, emulator_at, health_of
from local.process_table import our_processes
from local.progress import SignsOfLife
from local.supervisor import START_PATIENCE
from local.system import CANNOT_START, running_system
from runtime.aws import Aws
from runtime.paths import require_private_folder
from runtime.process.command import INTERRUPTED, complain, run_command
from runtime.settings import load
from runtime.terminal import Terminal


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--out-of-stock", action="store_true", help="with all razors sold out")
    chosen = parser.parse_args(arguments)
    terminal = Terminal()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop what was started, as on Ctrl-C
    isolate(os.environ, configured_by=LocalSettings, say=complain)
    try:
        settings = load(LocalSettings)
        with brought_up(settings, terminal), client_of(settings) as http:
            logs = Aws(region=REGION, endpoint_url=aws_endpoint(settings)).client("logs")
            secret = local_secret(settings)
            customer = Customer(http, logs, addresses(settings), secret)
            if chosen.out_of_stock:
                with Warehouse(http, addresses(settings)["stock"]).sold_out():
                    terminal.print("all razors are sold out until this ends")
                    show(
                        "One subscription, and no razors", [customer.subscribes_in_vain()], terminal
                    )
                terminal.print("the inventory is as it was found")
            else:
                flows = [customer.subscribes(), customer.cancels_the_payment()]
                show("One subscription, there and back", flows, terminal)
            if answers(f"{console_address(settings)}/readyz"):
                terminal.print(f"see it in the console: {console_address(settings)}/")
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
            require_private_folder(settings.state_dir, "STATE_DIR")
            file = settings.state_dir / "demo.log"
            log = stack.enter_context(file.open("w", encoding="utf-8"))
            terminal.print(f"starting the system, its output is in {file}", highlight=False)
            with terminal.status("starting") as status:

                def show(text: str) -> None:
                    if terminal.is_terminal:
                        status.update(escape(text))
                    else:
                        terminal.print(escape(text), highlight=False, soft_wrap=True)

                try:
                    stack.enter_context(running_system(settings, console=Narrated(log, show)))
                except AlreadyRunning:
                    # Another terminal is just bringing it up, or a process of it is restarting.
                    if not comes_up(settings, say=show):
                        raise
                else:
                    stack.callback(terminal.print, "stopping the system")
        yield


class Narrated(Console):
    """The log of a system whose own sentences, on how its start goes, are shown as well."""

    def __init__(self, log: TextIO, show: Callable[[str], None]) -> None:
        super().__init__(log)
        self._show = show

    def say(self, text: str) -> None:
        super().say(text)
        self._show(text)


def client_of(settings: LocalSettings) -> httpx.Client:
    """Make a client with tokens, if the system that runs requires them, whatever AUTH is here."""
    answer = ask(f"{addresses(settings)['stock']}/stock?limit=1")
    requires = answer is not None and answer.status_code == httpx.codes.UNAUTHORIZED
    tokens = client_tokens("demo", settings.model_copy(update={"auth": requires}))
    return httpx.Client(auth=tokens, timeout=5, trust_env=False)


def is_up(settings: LocalSettings) -> bool:
    """Whether all three APIs say that they are ready."""
    return all(answers(f"{address}/readyz") for address in addresses(settings).values())


def comes_up(
    settings: LocalSettings, *, say: Callable[[str], None], patience: float = START_PATIENCE
) -> bool:
    """Wait for a system that another process starts, as long as a process of it gets further.

    `say` is called with what is waited for. False after `patience` seconds in which none did.
    """
    table, progress, said = our_processes(settings), SignsOfLife(), ""
    while not is_up(settings):
        health = {process.name: health_of(process) for process in table}
        aws = emulator_at(aws_endpoint(settings))
        progress.see((aws, is_listening(settings.mongodb_port), *health.values()))
        if progress.silence() > patience:
            return False
        waiting = ", ".join(name for name, each in health.items() if not each.is_ready)
        if waiting != said:
            say(f"waiting for {waiting}")
            said = waiting
        time.sleep(0.1)
    return True


def show(title: str, flows: Sequence[Flow], terminal: Terminal) -> None:
    """Follow the flows and keep the table up to date meanwhile; raises Stuck."""
    arrivals: dict[JourneyHop, Arrival] = {}
    try:
        with Live(table(title, flows, arrivals), console=terminal, refresh_per_second=12) as live:
            for flow in flows:
                for arrival in follow(flow):
                    arrivals[arrival.hop] = arrival
                    live.update(table(title, flows, arrivals))
    finally:
        terminal.print()  # where the output is no terminal, Live ends in the middle of a line


def table(title: str, flows: Sequence[Flow], arrivals: dict[JourneyHop, Arrival]) -> Table:
    """The journey so far; what is still awaited turns."""
    rows = Table(
        title=title,
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
    run_command(main, failures=(Stuck, httpx.HTTPError, *CANNOT_START))
