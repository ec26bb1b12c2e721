"""Plays contenders in turns, A B, B A: a machine that changes its speed is fair to all."""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import count

from verification.benchmarks.intervals import interval
from verification.benchmarks.lines import Series

Contender = Callable[[], float]
"""Plays one round; returns what it measured."""

Clock = Callable[[], float]
"""Seconds that only grow."""


def interleaved(
    contenders: Mapping[str, Contender], *, seconds: float, clock: Clock = time.monotonic
) -> dict[str, Series]:
    """Play every contender once a round; each round begins with another of them.

    Rounds are repeated until the first contender's ratio to each of the others is known narrowly,
    or until the next round would end after `seconds`.
    """
    values: dict[str, list[float]] = {name: [] for name in contenders}
    first, *others = names = list(contenders)

    def is_known() -> bool:
        return all(is_narrow(values[first], values[other]) for other in others)

    for number in rounds(is_known, seconds=seconds, clock=clock):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            values[name].append(contenders[name]())
    return {name: Series(name, tuple(found)) for name, found in values.items()}


def measured(
    contenders: Mapping[str, Callable[[], Mapping[str, float]]],
    *,
    by: str,
    seconds: float,
    clock: Clock = time.monotonic,
) -> dict[str, dict[str, Series]]:
    """Play rounds of contenders that measure several things; when they end is decided `by` one.

    By measure, and then by contender.
    """
    found: dict[str, list[Mapping[str, float]]] = {name: [] for name in contenders}

    def play(name: str) -> float:
        found[name].append(contenders[name]())
        return found[name][-1][by]

    interleaved({name: partial(play, name) for name in contenders}, seconds=seconds, clock=clock)
    measures = next(iter(found.values()))[0]
    return {
        measure: {
            name: Series(name, tuple(each[measure] for each in played))
            for name, played in found.items()
        }
        for measure in measures
    }


def rounds(
    is_known: Callable[[], bool], *, seconds: float, clock: Clock = time.monotonic
) -> Iterator[int]:
    """Number rounds from 0, at least one, until all is known or the next would take too long."""
    started = clock()
    for number in count():
        yield number
        taken = clock() - started
        if is_known() or taken + taken / (number + 1) > seconds:
            return


def is_narrow(ours: list[float], peer: list[float]) -> bool:
    found = interval(ours, peer)
    return found is not None and found.is_narrow
