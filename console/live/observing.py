"""What becomes of each message that a tap brings: it is kept, counted, and shown."""

import threading
from datetime import datetime
from typing import Any

from console.live.hub import Hub
from console.live.journeys import Journeys
from console.live.rates import WINDOW, Rates
from console.live.sampling import is_shown
from console.live.sightings import Sighting, Sightings, sight
from contracts.envelope import NotAnEvent
from contracts.timestamps import format_timestamp


class Observer:
    def __init__(
        self, journeys: Journeys, sightings: Sightings, rates: Rates, bus_rates: Rates, hub: Hub
    ) -> None:
        self._journeys, self._sightings, self._hub = journeys, sightings, hub
        self._rates, self._bus_rates = rates, bus_rates
        self._lock = threading.Lock()
        self.seen, self.strange, self.thrown_away = 0, 0, 0
        self._left_out = Rates()

    def observe(self, bus: str, body: str, at: datetime, every_nth: int) -> None:
        """Take in one event of a bus, where one of `every_nth` is let through."""
        try:
            sighting = sight(body, at=at, bus=bus, domain=self._journeys.domain_of_bus[bus])
        except NotAnEvent:
            # Anybody may put anything on a bus; it is counted as what passes there.
            with self._lock:
                self.strange += 1
            self._bus_rates.count([bus])
            return
        if not is_shown(sighting.aggregate_id, every_nth) or not self._sightings.add(sighting):
            return  # sent before the tap let fewer through; or delivered twice
        with self._lock:
            self.seen += 1
        edges, handled = self.proven(sighting)
        self._rates.count([*edges, *handled], every_nth)
        self._bus_rates.count([bus], every_nth)
        self._hub.event(lambda: _document(sighting, edges, handled))

    def threw_away(self, count: int) -> None:
        """Take note of events that nobody looked at."""
        with self._lock:
            self.thrown_away += count
        self._left_out.count(["all"], count)

    @property
    def left_out(self) -> int:
        """How many events nobody looked at in the last ten seconds."""
        return round(self._left_out.per_second().get("all", 0.0) * WINDOW)

    def proven(self, sighting: Sighting) -> tuple[list[str], list[str]]:
        """The edges that a sighting proves, and those of the handling that led to it.

        A replay puts an event on a bus again: it did not pass an outbox.
        """
        journeys, domain = self._journeys, sighting.domain
        onward = journeys.matched(sighting.bus, sighting.source, sighting.event_type)
        if sighting.replay_name is not None or not sighting.own:
            return onward, []
        published = journeys.published(domain)
        if sighting.causation_id is None:
            return [*journeys.committed(domain, by_request=True), *published, *onward], []
        cause = self._sightings.event_type(sighting.causation_id)
        handled = journeys.handled(domain, cause)
        return [*published, *onward], handled or journeys.committed(domain, by_request=False)


def _document(sighting: Sighting, edges: list[str], handled: list[str]) -> dict[str, Any]:
    return {
        "at": format_timestamp(sighting.at),
        "bus": sighting.bus,
        "eventType": sighting.event_type,
        "eventId": sighting.event_id,
        "subscriptionId": sighting.aggregate_id,
        "source": sighting.source,
        "own": sighting.own,
        "replay": sighting.replay_name,
        "edges": edges,
        "handled": handled,
    }
