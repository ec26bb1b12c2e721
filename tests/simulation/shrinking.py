"""Makes a history that broke a promise as short as it gets: what can be left out is."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import monotonic
from typing import TypeVar

from tests.simulation.fates import Fate, Spot
from tests.simulation.history import Ended, History, replay
from tests.simulation.plans import Act
from tests.simulation.relaying import Parts

T = TypeVar("T")

Element = Act | tuple[Spot, Fate]
"""Of a history, what may be left out: an act, or a choice of a fate."""

LONGEST = 20.0
"""Seconds of trying; what is left then is the answer."""


def shortest(ended: Ended, parts: Parts, *, seconds: float = LONGEST) -> Ended:
    """Play it with fewer and fewer acts and choices, as long as the same promise is broken.

    Returns the shortest that was found, told step by step. A history that is cut short must break
    the promise that the first one broke: what a finding begins with, up to its colon.
    """
    deadline = monotonic() + seconds
    promise = _promise_of(ended)
    elements: Sequence[Element] = [*ended.history.plan.acts, *ended.history.choices.items()]

    def history_of(kept: Sequence[Element]) -> History:
        acts = tuple(each for each in kept if isinstance(each, Act))
        choices = dict(each for each in kept if not isinstance(each, Act))
        return replace(ended.history, plan=replace(ended.history.plan, acts=acts), choices=choices)

    def breaks(kept: Sequence[Element]) -> bool:
        if monotonic() > deadline:
            return False
        found = replay(history_of(kept), parts)
        return found.finding is not None and _promise_of(found) == promise

    kept = minimal(elements, breaks)
    return replay(history_of(kept), parts, is_told=True)


def minimal(elements: Sequence[T], breaks: Callable[[Sequence[T]], bool]) -> Sequence[T]:
    """Leave out what `breaks` does not need: halves first, then ever smaller parts, to single ones.

    After Zeller and Hildebrandt's delta debugging: of what is returned, nothing more can be left
    out alone.
    """
    size = max(1, len(elements) // 2)
    while True:
        start, shrunk = 0, False
        while start < len(elements):
            fewer = [*elements[:start], *elements[start + size :]]
            if breaks(fewer):
                elements, shrunk = fewer, True
            else:
                start += size
        if size == 1 and not shrunk:
            return elements
        size = max(1, size // 2)


def _promise_of(ended: Ended) -> str:
    return str(ended.finding).partition(":")[0]
