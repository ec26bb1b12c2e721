"""Makes a history that broke a promise as short as it gets: what can be left out is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import TypeVar

from tests.simulation.fates import Fate, Spot
from tests.simulation.history import Ended, History, Parts, replay
from tests.simulation.plans import Act

T = TypeVar("T")

LONGEST = 20.0
"""Seconds of trying; what is left then is the answer."""


@dataclass(frozen=True)
class _Choice:
    spot: Spot
    fate: Fate


def shortest(ended: Ended, parts: Parts, *, seconds: float = LONGEST) -> Ended:
    """Play it with fewer and fewer acts and choices, as long as the same promise is broken.

    Returns the shortest that was found, told step by step. A history that is cut short must break
    the promise that the first one broke: what a finding begins with, up to its colon.
    """
    deadline = monotonic() + seconds
    promise = _promise_of(ended)
    elements = [*ended.history.plan.acts, *_choices(ended.history)]

    def history_of(kept: Sequence[Act | _Choice]) -> History:
        acts = tuple(each for each in kept if not isinstance(each, _Choice))
        choices = {each.spot: each.fate for each in kept if isinstance(each, _Choice)}
        return replace(ended.history, plan=ended.history.plan.only(acts), choices=choices)

    def breaks(kept: Sequence[Act | _Choice]) -> bool:
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


def _choices(history: History) -> list[_Choice]:
    return [_Choice(spot, fate) for spot, fate in history.choices.items()]


def _promise_of(ended: Ended) -> str:
    return str(ended.finding).partition(":")[0]
