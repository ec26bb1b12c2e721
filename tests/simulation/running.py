"""Runs histories by the thousand, on one core or more, and counts what they went through."""

import gc
import logging
from collections import Counter
from collections.abc import Generator, Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context

import structlog

from tests.simulation.fates import Kind
from tests.simulation.history import play_seed
from tests.simulation.plants import planted

CHUNK = 500
"""Seeds that a worker plays between two reports."""


@dataclass
class Tally:
    """What a number of histories went through. `found` are the seeds that broke a promise."""

    histories: int = 0
    turns: int = 0
    struck: Counter[Kind] = field(default_factory=Counter)
    found: list[int] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        self.histories += other.histories
        self.turns += other.turns
        self.struck += other.struck
        self.found += other.found

    @property
    def faults(self) -> int:
        return sum(self.struck.values())


def prepare() -> None:
    """Say nothing but what is critical, and look for garbage seldom: both take half of the time."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bound_contextvars = _unbound  # type: ignore[assignment]
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)


def _unbound(**_: object) -> AbstractContextManager[None]:
    """What a log line that nobody writes would be bound to."""
    return nullcontext()


def play(seeds: Iterable[int], plant: str | None = None) -> Tally:
    """Play seeds until one breaks a promise."""
    tally = Tally()
    for seed in seeds:
        ended = play_seed(seed, planted(plant))
        tally.histories += 1
        tally.turns += ended.turns
        tally.struck += ended.struck
        if ended.finding is not None:
            tally.found.append(seed)
            break
    return tally


def play_all(
    count: int, *, processes: int, plant: str | None = None
) -> Generator[Tally, None, None]:
    """Play so many seeds; gives what each chunk of them went through, until it is closed."""
    chunks = [range(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
    play_chunk = partial(play, plant=plant)
    if processes == 1:
        prepare()
        yield from map(play_chunk, chunks)
        return
    # Not forked: the engines' clients and greenlets of this process are none of theirs.
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=prepare) as pool:
        try:
            yield from pool.map(play_chunk, chunks)
        finally:
            pool.shutdown(cancel_futures=True)
