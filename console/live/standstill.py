"""Since when a queue's messages wait and none is received. Pure; times are seconds.

An emulator's SQS does not say how old the oldest message is, and CloudWatch says it minutes late.
A queue that has messages, none in work, and never fewer than a look before, is not being received
from; how long that has been so is known to a frequent reader.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from operations.sources.depths import Depth


@dataclass(frozen=True, slots=True)
class _Look:
    since: float
    visible: int


class Standstills:
    """One look at every queue after the other."""

    def __init__(self) -> None:
        self._looks: dict[str, _Look] = {}

    def look(self, depths: Mapping[str, Depth], now: float) -> dict[str, float]:
        """Take a look; returns how long each queue has not moved, in seconds."""
        for name, depth in depths.items():
            last = self._looks.get(name)
            if not depth.visible:
                self._looks.pop(name, None)
            elif last is None or depth.in_flight or depth.visible < last.visible:
                self._looks[name] = _Look(now, depth.visible)
            else:
                self._looks[name] = _Look(last.since, depth.visible)
        return {name: now - look.since for name, look in self._looks.items() if name in depths}
