"""One run: the system of `make up` under load and faults, then quiet, then an audit."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path

import httpx

from infra.local_system.addresses import addresses, aws_endpoint
from infra.local_system.auth import client_tokens
from infra.local_system.settings import LocalSettings
from local.console import Console
from local.probes import health_of
from local.process import Process
from local.process_table import our_processes
from local.system import running_system
from operations.audit.command import audit
from operations.audit.report import AuditReport
from operations.databases import DatabaseEnvironment
from operations.errors import OperatorError
from operations.settings import LocalEnvironmentSettings
from runtime.errors import Misconfigured, Unavailable
from runtime.process.shutdown import Stop
from verification.chaos.clients import ClientLoad, Clients
from verification.chaos.injector import Injector
from verification.chaos.keys import Keys
from verification.chaos.ledger import Ledger
from verification.chaos.malformed_rows import MalformedRows
from verification.chaos.report import ChaosReport
from verification.chaos.schedule import Fault
from verification.chaos.settling import depths, settled
from verification.chaos.states import wrong_states
from verification.testkit.fault_proxy import FaultProxy
from verification.testkit.ports import settings_on_free_ports
from verification.testkit.waiting import wait_until

SYSTEM_READY_WITHIN = 120.0
ANSWERED_WITHIN = 240.0
"""Seconds that the last requests have: a payment that is to be cancelled may first have to wait for
the visibility of its message, and for a minute for a commit of which MongoDB never heard."""

SETTLED_WITHIN = 300.0
"""Seconds: a message whose consumer died waits for its visibility, which a consumer that held it
had made up to 45 s, and so may the next; a sweep comes every 30 s, later by what clocks are off."""

LEEWAY_SECONDS = 30
"""What an API bears by itself between its clock and the one that its tokens come from."""

CLOCK_SLACK = timedelta(minutes=15)
"""More than clocks are off: what happened is sought by its time."""


@dataclass(frozen=True)
class ChaosPlan:
    """What a run does. `clocks` says by how many seconds a process's clock is off.

    `on_hand` razors there are; None for any number.
    """

    seed: int
    seconds: float
    faults: Sequence[Fault]
    clocks: Mapping[str, float] = field(default_factory=dict)
    load: ClientLoad = field(default_factory=ClientLoad)
    on_hand: int | None = None


def run(
    plan: ChaosPlan,
    state_dir: Path,
    *,
    command: str,
    console: Console,
    processes: Console,
    stop: Stop,
) -> ChaosReport:
    """Run a plan and report; a requested stop ends the load early.

    `console` shows what is done, `processes` what the processes say. Raises what
    local.system.CANNOT_START lists.
    """
    began = datetime.now(UTC)
    keys = Keys(state_dir / "chaos-credentials")
    with (
        settings_on_free_ports(state_dir) as on_free_ports,
        FaultProxy(aws_endpoint(on_free_ports), seed=plan.seed).running() as proxy,
    ):
        settings = on_free_ports.model_copy(update={"up_log_format": "json"})
        ours = [
            disturbed(each, proxy.endpoint, plan.clocks, keys) for each in our_processes(settings)
        ]
        with running_system(settings, console=processes, ours=ours) as supervisor:
            injector = Injector(supervisor, proxy, keys, console=console, stop=stop)
            report = ChaosReport(
                command,
                plan.seed,
                plan.clocks,
                Ledger(),
                AuditReport(began, began, events={}, deliveries=(), differences=()),
                injected=injector.injected,
                missed=injector.missed,
                died=injector.died,
                hits=proxy.hits,
            )
            _Run(plan, settings, ours, injector, console, stop, report).carry_out(began)
            return report


def disturbed(process: Process, endpoint: str, clocks: Mapping[str, float], keys: Keys) -> Process:
    """Put a process behind the proxy, with its own clock, and with keys that are rotated.

    The tap is left alone: it stands for what AWS does itself, and what it writes is the evidence.
    An API bears as much more between its clock and its tokens' as its clock is off.
    """
    if process.name == "tap":
        return process
    env = dict(process.env)
    if "AWS_ENDPOINT_URL" in env:
        env |= {**keys.environment, "AWS_ENDPOINT_URL": endpoint}
    off = clocks.get(process.name, 0.0)
    if "AUTH_ISSUER" in env:
        env["AUTH_LEEWAY_SECONDS"] = str(LEEWAY_SECONDS + ceil(abs(off)))
    python, dash_m, *module = process.command
    clock = ("verification.chaos.clocks", str(off)) if off else ()
    return replace(process, command=(python, dash_m, *clock, *module), env=env)


@dataclass(frozen=True)
class _Run:
    """The parts of a run, once the system is up."""

    plan: ChaosPlan
    settings: LocalSettings
    ours: Sequence[Process]
    injector: Injector
    console: Console
    stop: Stop
    report: ChaosReport

    def carry_out(self, began: datetime) -> None:
        plan, report, where = self.plan, self.report, addresses(self.settings)
        ledger = report.ledger
        tokens = client_tokens("demo", self.settings)
        clients = Clients(where, ledger, seed=plan.seed, load=plan.load, auth=tokens)
        started = time.monotonic()
        environment = DatabaseEnvironment.of_local(
            LocalEnvironmentSettings.model_validate(self.settings.model_dump())
        )
        malformed_rows = MalformedRows(environment)
        self._stock(where["stock"], tokens)
        with self.injector.watching(), clients.running(), malformed_rows.running():
            self.console.say("ready: load and faults begin")
            self.injector.run(plan.faults, seconds=plan.seconds)
            clients.begin_no_more()
            report.seconds = time.monotonic() - started
            if self.stop.requested:
                report.notes.append("stopped before its time")
            self.console.say(f"faults are over; {len(ledger)} subscriptions were answered")
            calm = time.monotonic()
            self._wait_ready()
            malformed_rows.finish()
            report.unanswered = clients.finish(within=ANSWERED_WITHIN)
            self.console.say(
                f"{report.unanswered} requests unanswered after {time.monotonic() - calm:.0f} s;"
                " waiting until everything has arrived"
            )
            rejected = None if plan.on_hand is None else ledger.rejected
            found = settled(
                ledger,
                lambda promises: wrong_states(promises, where, tokens, rejected=rejected),
                lambda: depths(environment),
                within=SETTLED_WITHIN,
                say=self.console.say,
            )
            report.settled_state = replace(found, seconds=time.monotonic() - calm)
            report.malformed_rows = malformed_rows.account()
            self._audit(environment, began)

    def _stock(self, address: str, tokens: httpx.Auth | None) -> None:
        """Set what is on hand, if the plan has a limit."""
        if self.plan.on_hand is not None:
            with httpx.Client(auth=tokens, timeout=30, trust_env=False) as http:
                sent = {"onHand": self.plan.on_hand}
                http.put(f"{address}/inventory/razor-123", json=sent).raise_for_status()

    def _audit(self, environment: DatabaseEnvironment, began: datetime) -> None:
        since, until = began - CLOCK_SLACK, datetime.now(UTC) + CLOCK_SLACK
        try:
            self.report.audit = audit(environment, since, until, settle=60)
        except (OperatorError, Unavailable, Misconfigured) as error:
            self.report.why_no_audit = str(error) or type(error).__name__

    def _wait_ready(self) -> None:
        """Wait for all to be ready; one that is not shows in what follows."""
        if not wait_until(lambda: not self._unready(), within=SYSTEM_READY_WITHIN, every=0.5):
            names = ", ".join(self._unready())
            self.report.notes.append(f"not ready within {SYSTEM_READY_WITHIN:g} s: {names}")

    def _unready(self) -> list[str]:
        return [each.name for each in self.ours if not health_of(each).is_ready]
