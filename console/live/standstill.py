"""Since when a queue's messages wait and none is received. Pure; times are seconds.

An emulator's SQS does not say how old the oldest message is, and CloudWatch says it minutes late.
A queue that has messages, none in work, and never fewer than a look before, is not being received
from; how long that has been so is known to a frequent reader.
"""

from collections.abc import Mapping

from operations.sources.depths import Depth


class Standstills:
    """One look at every queue after the other."""

    def __init__(self) -> None:
        self._looks: dict[str, tuple[float, int]] = {}

    def look(self, depths: Mapping[str, Depth], now: float) -> dict[str, float]:
        """Take a look; returns how long each queue has not moved, in seconds."""
        for name, depth in depths.items():
            since, before = self._looks.get(name, (now, 0))
            moved = not before or depth.in_flight or depth.visible < before
            self._looks[name] = now if moved else since, depth.visible
        return {
            name: now - since
            for name, (since, visible) in self._looks.items()
            if visible and name in depths
        }
