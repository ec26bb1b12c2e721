"""How much of everything a run plays: the full one takes some 25 minutes, the quick one 3."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """`events` in a drain on loopback; a steady state in seconds.

    `compare_seconds` is how long a comparison of two may be repeated until its ratio is known,
    `stub_seconds` one on a stub of AWS, where a round is `stub_events` for each contender, and
    `system_seconds` one of whole systems.
    """

    events: int
    compare_seconds: float
    steady_seconds: float
    is_quick: bool
    stub_events: int
    stub_seconds: float
    system_seconds: float

    @property
    def cores(self) -> int:
        """Of this machine."""
        return os.cpu_count() or 1


FULL_SIZE = Size(
    events=3000,
    compare_seconds=30,
    steady_seconds=60,
    is_quick=False,
    stub_events=3000,
    stub_seconds=30,
    system_seconds=210,
)
QUICK_SIZE = Size(
    events=2000,
    compare_seconds=23,
    steady_seconds=10,
    is_quick=True,
    stub_events=1000,
    stub_seconds=8,
    system_seconds=30,
)
