"""Plays contenders in turns: A B A B …, so that a machine that changes its speed is fair to all."""

from collections.abc import Callable, Mapping

from benchmarks.lines import Series

Contender = Callable[[], float]
"""Plays one round; returns what it measured."""


def interleaved(contenders: Mapping[str, Contender], rounds: int) -> dict[str, Series]:
    """Play every contender once a round; each round begins with another of them."""
    values: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    for number in range(rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            values[name].append(contenders[name]())
    return {name: Series(name, tuple(found)) for name, found in values.items()}
