"""What a table's stream tells: every insertion, in sequence per aggregate, some of them late."""

from runtime.outbox.rows import Row
from tests.memory_feed import MemoryFeed
from tests.simulation.fates import Kind
from tests.simulation.scheduling import Bell
from tests.simulation.wires import LATENCY, Weather

LATEST = 60.0
"""Seconds: past 30 a tail gives a row up to the sweep."""


class Feed(MemoryFeed):
    """An aggregate's rows are told in the order of their commits.

    Those of different aggregates, as if they stood in different shards, are told in any order.
    """

    def __init__(self, name: str, weather: Weather) -> None:
        super().__init__()
        self._name, self._weather = name, weather
        self._bell = Bell(weather.scheduler)
        self._told_until: dict[str, float] = {}

    def commit(self, row: Row) -> None:
        """A row was inserted: it will be told."""
        scheduler = self._weather.scheduler
        fate = self._weather.fate(f"stream of {self._name}", (Kind.LATE,))
        delay = LATENCY + (fate.amount**2 * LATEST if fate else 0)
        moment = max(scheduler.now + delay, self._told_until.get(row.aggregate_id, 0))
        self._told_until[row.aggregate_id] = moment
        scheduler.at(moment, lambda: self._tell(row))

    def wait_beyond(self, place: int) -> None:
        while len(self.told) <= place:
            self._bell.wait()

    def _tell(self, row: Row) -> None:
        self.told.append(row)
        self._bell.ring()
