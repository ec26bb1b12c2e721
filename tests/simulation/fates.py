"""What may befall a call or a delivery, and the choices that a seed makes among it.

A choice is known by who met it and how many calls that one had made: so when other choices are
taken away, it still means the same call, and a history can be made shorter choice by choice.
"""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from math import log
from random import Random
from typing import NamedTuple, Protocol


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


class Choices(Protocol):
    """Decides what befalls each call; nothing any more once all `is_calm`."""

    made: dict[Spot, Fate]
    is_calm: bool

    def next(self, who: str, possible: tuple[Kind, ...]) -> Fate | None: ...


class Seeded:
    """Chooses by chance: a share of the calls, among the kinds that are allowed."""

    def __init__(self, random: Random, allowed: tuple[Kind, ...], share: float) -> None:
        self._random, self._allowed = random, allowed
        self._passing = log(1 - share) if share else None
        self._possible: dict[tuple[Kind, ...], tuple[Kind, ...]] = {}
        self._calls: dict[str, int] = {}
        self._gap = self._next_gap()
        self.made: dict[Spot, Fate] = {}
        self.is_calm = False

    def next(self, who: str, possible: tuple[Kind, ...]) -> Fate | None:
        if self.is_calm:
            return None
        self._calls[who] = self._calls.get(who, 0) + 1
        self._gap -= 1
        if self._gap > 0:
            return None
        self._gap = self._next_gap()
        kinds = self._possible.get(possible)
        if kinds is None:
            kinds = tuple(kind for kind in self._allowed if kind in possible)
            self._possible[possible] = kinds
        if not kinds:
            return None
        fate = Fate(self._random.choice(kinds), self._random.random())
        self.made[who, self._calls[who]] = fate
        return fate

    def _next_gap(self) -> int:
        """Calls until the next fault: as many as if each had been drawn for, in one draw."""
        if self._passing is None:
            return 1_000_000_000
        return int(log(1 - self._random.random()) / self._passing) + 1


class Given:
    """Makes exactly the choices that it was given."""

    def __init__(self, given: Mapping[Spot, Fate]) -> None:
        self._given, self._calls = given, Counter[str]()
        self.made: dict[Spot, Fate] = {}
        self.is_calm = False

    def next(self, who: str, possible: tuple[Kind, ...]) -> Fate | None:
        if self.is_calm:
            return None
        self._calls[who] += 1
        spot = who, self._calls[who]
        fate = self._given.get(spot)
        if fate is None or fate.kind not in possible:
            return None
        self.made[spot] = fate
        return fate
