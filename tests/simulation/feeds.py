"""A change feed that delivers every insertion, in sequence per aggregate, some of them late."""

from runtime.outbox.rows import Row
from tests.memory_feed import MemoryFeed
from tests.simulation.fates import Kind
from tests.simulation.scheduling import Bell
from tests.simulation.wires import LATENCY, Weather

LATEST = 60.0
"""Seconds: past 30 a reader leaves a row to the sweep."""


class Feed(MemoryFeed):
    """An aggregate's rows are delivered in the order of their commits.

    Those of different aggregates, as if they were in different shards, come in any order.
    """

    def __init__(self, name: str, weather: Weather) -> None:
        super().__init__()
        self._name, self._weather = name, weather
        self._bell = Bell(weather.scheduler)
        self._delivered_until: dict[str, float] = {}

    def commit(self, row: Row) -> None:
        """A row was inserted: it will be delivered."""
        scheduler = self._weather.scheduler
        fate = self._weather.fate(f"stream of {self._name}", (Kind.LATE,))
        delay = LATENCY + (fate.amount**2 * LATEST if fate else 0)
        moment = max(scheduler.now + delay, self._delivered_until.get(row.aggregate_id, 0))
        self._delivered_until[row.aggregate_id] = moment
        scheduler.at(moment, lambda: self._deliver(row))

    def wait_beyond(self, position: int) -> None:
        while len(self.rows) <= position:
            self._bell.wait()

    def _deliver(self, row: Row) -> None:
        self.rows.append(row)
        self._bell.ring()
