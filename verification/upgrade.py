"""`python -m verification.upgrade 071a447`, which is `make upgrade-test FROM=071a447`.

A system of that commit, with its own code and its own locks, is stopped at work: subscriptions in
every state, rows in every outbox, messages in every work queue of its own. The system of this
checkout starts on the same state and publishes version 1 of the events: first beside consumers of
that commit, then with its own. Then it publishes version 2. Every lifecycle must end, nothing may
be dead-lettered or left, and the audit must balance.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx

from infra.local_system.addresses import addresses
from infra.local_system.settings import ROOT, LocalSettings
from local.child import running_child
from local.console import Console
from local.isolation import isolate
from local.process_table import our_processes
from operations.audit.command import audit
from operations.databases import DatabaseEnvironment
from operations.settings import LocalEnvironmentSettings
from operations.sources.depths import held
from operations.sources.outboxes import pending
from runtime.process.command import run_command
from verification.chaos.ledger import Ledger, Promise
from verification.chaos.settling import depths, settled
from verification.chaos.states import wrong_states
from verification.testkit.launcher import ProcessNotReady, running_up
from verification.testkit.ports import settings_on_free_ports
from verification.testkit.waiting import NotInTime, eventually

ENDED_WITHIN = 300.0
"""Seconds: a message that a stopped consumer had waits for its visibility of 30 s, a row that the
stream had delivered to the old relay for the new one's sweep."""

RUNNING_LOCKS = ("requirements-local.lock", "requirements-dev.lock")
"""What running a system needs; older commits have one lock for everything."""

FIFO = "payment-events.fifo"

WORK_QUEUES = {
    *("stock-subscription-created", "payments-subscription-created"),
    *("stock-payment-cancelled", "subscriptions-payment-cancelled", FIFO),
}
"""Of every commit that this can start from; later ones have more."""

CONSUMERS = ("subscription-consumer", "stock-consumer", "payment-consumer")

ACCOUNT, RAZORS = "87654321", 3

ORDER = {
    "accountNumber": ACCOUNT,
    "accountName": "G Hopper",
    "accountSortCode": "65-43-21",
    "customerFirstName": "Grace",
    "customerSurname": "Hopper",
    "quantity": RAZORS,
}

Say = Callable[[str], None]


class UpgradeFailed(Exception):
    """What the newer system did not bring to its end."""


@dataclass(frozen=True)
class Checkout:
    """A commit's files in `root`, and an interpreter with what its lock names."""

    root: Path
    python: Path

    @classmethod
    def of(cls, commit: str, folder: Path) -> "Checkout":
        """Raises CalledProcessError for a commit that git does not know."""
        root, packed = folder / "code", folder / "code.tar"
        _run("git", "-C", str(ROOT), "archive", "--output", str(packed), commit)
        with tarfile.open(packed) as archive:
            archive.extractall(root, filter="data")
        python = folder / "venv" / "bin" / "python"
        uv = str(Path(sys.executable).with_name("uv"))
        _run(uv, "venv", "--quiet", "--python", sys.executable, str(folder / "venv"))
        lock = next(root / name for name in RUNNING_LOCKS if (root / name).exists())
        _run(uv, "pip", "sync", "--quiet", "--python", str(python), str(lock))
        return cls(root, python)


@dataclass(frozen=True)
class Customers:
    """Who subscribes and cancels, of whichever system has the ports; keeps what was promised."""

    where: dict[str, str]
    ledger: Ledger = field(default_factory=Ledger)

    def subscribe(self) -> str:
        answer = httpx.post(
            f"{self.where['subscription']}/subscriptions",
            json=ORDER,
            headers={"Idempotency-Key": str(uuid4())},
            timeout=30,
        )
        subscription_id = str(answer.raise_for_status().json()["subscriptionId"])
        promise = Promise(subscription_id, RAZORS, ACCOUNT)
        self.ledger.promised(promise)
        return subscription_id

    def subscribe_and_wait(self) -> str:
        subscription_id = self.subscribe()
        self.until_kept(subscription_id)
        return subscription_id

    def cancel(self, subscription_id: str) -> None:
        url = f"{self.where['payment']}/payments/{subscription_id}"
        httpx.patch(url, json={"status": "cancelled"}, timeout=30).raise_for_status()
        self.ledger.cancelled(subscription_id, "bank")

    def until_kept(self, *subscription_ids: str) -> None:
        """Wait until all three services say what was promised."""

        def kept() -> bool:
            of_these = [each for each in self.ledger if each.subscription_id in subscription_ids]
            return not wrong_states(of_these, self.where)

        eventually(kept, timeout=ENDED_WITHIN, what="what was promised", every=0.5)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make upgrade-test", description=__doc__)
    parser.add_argument("commit", help="the older one, as git knows it")
    commit = parser.parse_args().commit
    say = Console(sys.stdout).say
    isolate(os.environ, say=say)
    folder = Path(tempfile.mkdtemp(prefix="streamed-upgrade-"))
    say(f"from {commit} to this checkout; what the processes say is in {folder}")
    checkout = Checkout.of(commit, folder)
    with settings_on_free_ports(folder / "state") as settings:
        upgrade(checkout, settings, folder, say=say)
    shutil.rmtree(folder)
    return 0


def upgrade(old: Checkout, settings: LocalSettings, folder: Path, *, say: Say) -> None:
    """Raises UpgradeFailed, and NotInTime or ProcessNotReady while a system comes up or works."""
    began = datetime.now(UTC)
    environment = DatabaseEnvironment.of_local(
        LocalEnvironmentSettings.model_validate(settings.model_dump())
    )
    customers = Customers(addresses(settings))
    python = str(old.python)
    with running_up(
        "local.up", settings, folder / "old.log", python=python, root=old.root
    ) as process:
        _leave_work(customers, environment, process.pid, say)
    in_clear = settings.model_copy(update={"event_version": 1})
    with running_up("local.up", in_clear, folder / "new.log") as process:
        say("the newer system is ready, and publishes version 1")
        _suspend(process.pid, *CONSUMERS)
        with _consumers_of(old, in_clear, folder):
            customers.cancel(ended := customers.subscribe_and_wait())
            customers.until_kept(ended)
            customers.subscribe_and_wait()
            say("consumers of the older one handled what it published")
        _signal(process.pid, signal.SIGCONT, *CONSUMERS)
        customers.subscribe_and_wait()
    with running_up("local.up", settings, folder / "version-2.log"):
        say("the newer system is ready, and publishes version 2")
        customers.subscribe_and_wait()
        _finish(customers, environment, began, say)


@contextmanager
def _consumers_of(old: Checkout, settings: LocalSettings, folder: Path) -> Iterator[None]:
    """Run the consumers of the older commit on the system of these settings."""
    with ExitStack() as running:
        for each in our_processes(settings):
            if each.name in CONSUMERS:
                running.enter_context(
                    running_child(
                        each.name,
                        (str(old.python), *each.command[1:]),
                        env={**each.env, "HEALTH_PORT": "0"},
                        cwd=old.root,
                        log=folder / f"old-{each.name}.log",
                    )
                )
        yield


def _leave_work(customers: Customers, environment: DatabaseEnvironment, up: int, say: Say) -> None:
    """Leave a subscription in each state, and something in each outbox and each work queue."""
    work = WORK_QUEUES
    outboxes = {f"outbox {each.name}" for each in pending(environment)}
    customers.cancel(ended := customers.subscribe_and_wait())
    customers.until_kept(ended)
    _, first, second, third = (customers.subscribe_and_wait() for _ in range(4))
    _suspend(up, "stock-relay")
    customers.subscribe_and_wait()  # its StockAllocated stays in the outbox
    _suspend(up, *CONSUMERS)
    customers.subscribe()
    customers.cancel(first)
    _until_waiting(environment, work - {FIFO})
    _suspend(up, "payments-forward")
    customers.cancel(second)
    _until_waiting(environment, work)
    _suspend(up, "subscriptions-relay", "payments-change-stream")
    customers.subscribe()
    customers.cancel(third)
    left = _until_waiting(environment, work | outboxes)
    say(f"stopped at work, with {', '.join(f'{each} {left[each]}' for each in sorted(left))}")


def _until_waiting(environment: DatabaseEnvironment, places: set[str]) -> Mapping[str, int]:
    """Wait until something is in each of these outboxes and queues; returns how much is where."""

    def waiting() -> Mapping[str, int] | None:
        found = {f"outbox {each.name}": each.stats().depth for each in pending(environment)}
        for queue in places & WORK_QUEUES:
            domain = environment.topology.domain_of_queue(queue)
            found[queue] = held(environment, domain, queue)
        return found if all(found[place] for place in places) else None

    return eventually(waiting, what=f"something in each of {', '.join(sorted(places))}")


def _finish(
    customers: Customers, environment: DatabaseEnvironment, began: datetime, say: Say
) -> None:
    open_ones = [each.subscription_id for each in customers.ledger if not each.cancelled_by]
    customers.until_kept(*open_ones)
    for each in open_ones:
        customers.cancel(each)
    found = settled(
        customers.ledger,
        lambda promises: wrong_states(promises, customers.where),
        lambda: depths(environment),
        within=ENDED_WITHIN,
        say=say,
    )
    if not found.settled or found.dead_letters:
        raise UpgradeFailed(f"not all came to its end: {found}")
    say(f"{len(customers.ledger)} lifecycles ended, nothing waits, no dead letters")
    until = datetime.now(UTC) + timedelta(minutes=1)
    report = audit(environment, began - timedelta(minutes=1), until, settle=60)
    if not report.clean or report.in_flight:
        raise UpgradeFailed(f"the audit does not balance: {report.as_document()}")
    say(", ".join(f"{name} {each.committed}" for name, each in report.events.items()))
    say("the audit balances")


def _suspend(up: int, *names: str) -> None:
    """Stop processes of a running `make up` where they are: they go no further, and do not die."""
    _signal(up, signal.SIGSTOP, *names)


def _signal(up: int, number: signal.Signals, *names: str) -> None:
    listed = _run("ps", "-A", "eww", "-o", "pid=,ppid=,command=").splitlines()
    for name in names:
        (pid,) = (
            int(words[0])
            for words in map(str.split, listed)
            if words[1] == str(up) and f"OTEL_SERVICE_NAME={name}" in words
        )
        os.kill(pid, number)


def _run(program: str, *arguments: str) -> str:
    done = subprocess.run([program, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


if __name__ == "__main__":
    run_command(
        main, failures=(UpgradeFailed, NotInTime, ProcessNotReady, subprocess.CalledProcessError)
    )
