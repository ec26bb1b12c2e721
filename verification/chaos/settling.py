"""Waits until nothing is on its way any more, and says what still is."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from infra.taps import taps_of
from operations.databases import DatabaseEnvironment
from operations.sources.depths import held
from operations.sources.outboxes import pending
from runtime.errors import Unavailable
from verification.chaos.ledger import Promise


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


def settled(
    ledger: Iterable[Promise],
    wrong_of: Callable[[Iterable[Promise]], Mapping[Promise, str]],
    depths: Callable[[], tuple[Mapping[str, int], Mapping[str, int]]],
    *,
    within: float,
    say: Callable[[str], None],
    every: float = 1.0,
) -> SettledState:
    """Look until every promise is kept and nothing waits, `within` seconds at most.

    `depths` gives what waits, and dead letters. What is right may be undone by what is still on its
    way: once nothing is, all are looked at. `say` gets what is still awaited, whenever that has
    changed.
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


def depths(environment: DatabaseEnvironment) -> tuple[dict[str, int], dict[str, int]]:
    """Count the rows in outboxes and the messages in work queues, and apart from them dead letters.

    Those are in the queues without a redrive policy.
    """
    topology = environment.topology
    work = {each.name: d.name for d in topology.domains for each in d.queues if each.redrive}
    dead_letter_queues = {
        each.name: d.name for d in topology.domains for each in d.queues if not each.redrive
    }
    if environment.emulated:
        work |= {tap.queue: topology.domains[0].name for tap in taps_of(topology)}
    waiting = {f"outbox {each.name}": each.stats().depth for each in pending(environment)}
    waiting = {name: count for name, count in waiting.items() if count}
    return waiting | _held(environment, work), _held(environment, dead_letter_queues)


def _held(environment: DatabaseEnvironment, queues: Mapping[str, str]) -> dict[str, int]:
    """What is in these queues, each with its domain, where there is anything."""
    counts = {queue: held(environment, domain, queue) for queue, domain in queues.items()}
    return {queue: count for queue, count in counts.items() if count}
