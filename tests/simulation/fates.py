"""What may befall a call or a delivery, and the choices that a seed makes among it.

A choice is known by who met it and how many calls that one had made: so when other choices are
taken away, it still means the same call, and a history can be made shorter choice by choice.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import StrEnum
from math import log
from random import Random
from typing import NamedTuple


class Kind(StrEnum):
    """A fault, in the words that a history uses."""

    AWAY = "is away"
    THROTTLED = "throttles"
    LOST_ANSWER = "does it, and the answer is lost"
    HALF_FAILED = "fails in part"
    SLOW = "is slow"
    STALLED = "is reached late: the caller is paused"
    LATE_ANSWER = "does it, and the answer comes late"
    CRASH_BEFORE = "is not reached: the caller is killed"
    CRASH_AFTER = "does it, and the caller is killed"
    REFUSED = "refuses, and says nothing against the work"
    UNKNOWN = "answers with an error that is in no list"
    ODD = "is asked wrongly: a bug of this system"
    LOST_PLACE = "has lost its position"
    LATE = "comes late"
    TWICE = "comes twice"
    RETRIED = "fails at first and is tried again"
    UNDELIVERABLE = "fails for 24 hours"


class Fate(NamedTuple):
    """A kind and, where it needs one, how much: from 0 to 1."""

    kind: Kind
    amount: float


Spot = tuple[str, int]
"""Who meets a fate, and at which of its calls."""

OUTAGES = (
    Kind.AWAY,
    Kind.THROTTLED,
    Kind.LOST_ANSWER,
    Kind.HALF_FAILED,
    Kind.REFUSED,
    Kind.UNKNOWN,
)
TIMING = (Kind.SLOW, Kind.SLOW, Kind.LATE_ANSWER, Kind.LATE, Kind.LATE)
DELIVERY = (Kind.TWICE, Kind.RETRIED)
CRASHES = (Kind.CRASH_BEFORE, Kind.CRASH_AFTER, Kind.STALLED, Kind.LOST_PLACE, Kind.UNDELIVERABLE)
ODDITIES = (Kind.ODD,)


class Choices(ABC):
    """Decides what befalls each call; nothing any more once all `is_calm`."""

    def __init__(self) -> None:
        self._calls: dict[str, int] = {}
        self.made: dict[Spot, Fate] = {}
        self.is_calm = False

    def next(self, who: str, possible: tuple[Kind, ...]) -> Fate | None:
        if self.is_calm:
            return None
        self._calls[who] = self._calls.get(who, 0) + 1
        fate = self._choose(who, possible)
        if fate is not None:
            self.made[who, self._calls[who]] = fate
        return fate

    @abstractmethod
    def _choose(self, who: str, possible: tuple[Kind, ...]) -> Fate | None: ...


class Seeded(Choices):
    """Chooses by chance: a share of the calls, among the kinds that are allowed."""

    def __init__(self, random: Random, allowed: tuple[Kind, ...], share: float) -> None:
        super().__init__()
        self._random, self._allowed = random, allowed
        self._passing = log(1 - share) if share else None
        self._gap = self._next_gap()

    def _choose(self, who: str, possible: tuple[Kind, ...]) -> Fate | None:
        self._gap -= 1
        if self._gap > 0:
            return None
        self._gap = self._next_gap()
        kinds = [kind for kind in self._allowed if kind in possible]
        return Fate(self._random.choice(kinds), self._random.random()) if kinds else None

    def _next_gap(self) -> int:
        """Calls until the next fault: as many as if each had been drawn for, in one draw."""
        if self._passing is None:
            return 1_000_000_000
        return int(log(1 - self._random.random()) / self._passing) + 1


class Given(Choices):
    """Makes exactly the choices that it was given."""

    def __init__(self, given: Mapping[Spot, Fate]) -> None:
        super().__init__()
        self._given = given

    def _choose(self, who: str, possible: tuple[Kind, ...]) -> Fate | None:
        fate = self._given.get((who, self._calls[who]))
        return fate if fate is not None and fate.kind in possible else None
