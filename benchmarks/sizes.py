"""How much of everything a run plays: the full one takes up to 20 minutes, the quick one 3."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """`rounds` of each contender; `events` in a drain on loopback; a steady state in seconds."""

    rounds: int
    events: int
    steady_seconds: float
    is_quick: bool


FULL = Size(rounds=4, events=5000, steady_seconds=60, is_quick=False)
QUICK = Size(rounds=2, events=3000, steady_seconds=10, is_quick=True)
