"""Calls and what AWS bills of them, counted by phase, process and operation."""

import threading
from collections import Counter, defaultdict
from collections.abc import Mapping

START_UP = "start-up"
"""The phase in which processes look for their tables, queues and buses."""

Sections = Mapping[str, Mapping[str, int]]
"""Counts by section and name; a section's parts stand apart by dots: calls.created.stock-relay."""


class CallTally:
    """What was counted so far; `phase` is what is going on, and who steps the parts sets it."""

    def __init__(self) -> None:
        self.phase = START_UP
        self._lock = threading.Lock()
        self._sections: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def call(self, process: str, operation: str, times: int = 1) -> None:
        """Count a call, as often as it was sent."""
        self._add("calls", process, operation, times)

    def unit(self, name: str, count: int) -> None:
        """Count what AWS bills: units of its own, or bytes."""
        self._add("units", "all", name, count)

    def event(self, bus: str, event_type: str, size: int) -> None:
        """Note that an entry of `size` bytes was put on a bus."""
        self._add("published", bus, event_type, size)

    def sections(self, *kinds: str) -> Sections:
        """Give what was counted after the start, of these kinds or of all, in a fixed order."""
        return {
            section: dict(sorted(counts.items()))
            for section, counts in sorted(self._sections.items())
            if f".{START_UP}." not in section and (not kinds or section.split(".")[0] in kinds)
        }

    def _add(self, kind: str, owner: str, name: str, count: int) -> None:
        with self._lock:
            self._sections[f"{kind}.{self.phase}.{owner}"][name] += count


def total(sections: Sections, kind: str, *, service: str = "", phase: str = "") -> int:
    """Add up a kind's counts: of one phase or all, of one AWS service or all of them.

    MongoDB's commands are no calls to AWS: they count only where the service is "mongodb".
    """
    return sum(
        count
        for section, counts in sections.items()
        if section.startswith(f"{kind}.{phase}")
        for name, count in counts.items()
        if (name.startswith(f"{service} ") if service else not name.startswith("mongodb "))
    )
