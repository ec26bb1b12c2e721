"""Waits until nothing is on its way any more, and says what still is."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from infra.taps import taps_of
from infra.workloads import Consumes
from operations.databases import DatabaseEnvironment
from operations.sources.depths import held
from operations.sources.outboxes import pending
from runtime.errors import Unavailable
from verification.chaos.ledger import Ledger, Promise
from verification.chaos.states import wrong_states


@dataclass(frozen=True)
class SettledState:
    """What was found at the last look; `seconds` until then. Sentences by subscription id."""

    seconds: float
    wrong: Mapping[str, str] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    """Rows in outboxes and messages in work queues, where there are any."""
    dead_letters: Mapping[str, int] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        return not self.wrong and not self.waiting


def settle(
    environment: DatabaseEnvironment,
    ledger: Ledger,
    addresses: dict[str, str],
    *,
    within: float,
    say: Callable[[str], None] = lambda _: None,
) -> SettledState:
    """Look until every promise is kept and nothing waits, `within` seconds at most.

    `say` gets what is still awaited, whenever that has changed.
    """
    return settled(
        ledger,
        lambda promises: wrong_states(promises, addresses),
        lambda: (_waiting(environment), _dead_letters(environment)),
        within=within,
        say=say,
    )


def settled(
    ledger: Iterable[Promise],
    wrong_of: Callable[[Iterable[Promise]], Mapping[Promise, str]],
    depths: Callable[[], tuple[Mapping[str, int], Mapping[str, int]]],
    *,
    within: float,
    say: Callable[[str], None],
    every: float = 1.0,
) -> SettledState:
    """Look as `settle` does, every `every` seconds; `depths` gives what waits, and dead letters.

    What is right may be undone by what is still on its way: once nothing is, all are looked at.
    """
    began, said = time.monotonic(), ""
    suspects = promises = list(ledger)
    was_still = False
    while True:
        wrong = wrong_of(promises if was_still else suspects)
        suspects = list(wrong)
        try:
            waiting, dead_letters = depths()
        except Unavailable as error:
            waiting, dead_letters = {str(error): 1}, {}
        found = SettledState(
            time.monotonic() - began,
            {promise.subscription_id: sentence for promise, sentence in wrong.items()},
            waiting,
            dead_letters,
        )
        if was_still if found.settled else found.seconds >= within:
            return found
        was_still = found.settled
        if (awaited := f"{len(wrong)} subscriptions, {_list(waiting)}") != said:
            said = awaited
            say(f"awaited after {found.seconds:.0f} s: {awaited}")
        time.sleep(every)


def _list(waiting: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in waiting.items()) or "nothing queued"


def _waiting(environment: DatabaseEnvironment) -> dict[str, int]:
    counts = {f"outbox {each.name}": each.stats().depth for each in pending(environment)}
    for workload in environment.workloads:
        for use in workload.uses:
            if isinstance(use, Consumes):
                counts[use.queue] = held(environment, workload.domain, use.queue)
    if environment.emulated:
        for tap in taps_of(environment.topology):
            counts[tap.queue] = held(environment, environment.topology.domains[0].name, tap.queue)
    return {name: count for name, count in counts.items() if count}


def _dead_letters(environment: DatabaseEnvironment) -> dict[str, int]:
    """Count what is in the queues without a consumer: the dead-letter queues."""
    consumed = {
        use.queue
        for workload in environment.workloads
        for use in workload.uses
        if isinstance(use, Consumes)
    }
    counts = {
        queue.name: held(environment, domain.name, queue.name)
        for domain in environment.topology.domains
        for queue in domain.queues
        if queue.name not in consumed
    }
    return {name: count for name, count in counts.items() if count}
