"""What becomes of each message that a tap brings: it is kept, counted, and shown."""

import threading
from datetime import datetime
from typing import Any

from console.live.hub import Hub
from console.live.journeys import Journeys
from console.live.observed_events import ObservedEvent, ObservedEvents, parse_observed
from console.live.rates import WINDOW, Rates
from console.live.sampling import is_shown
from contracts.envelope import NotAnEvent
from contracts.timestamps import format_timestamp


class Observer:
    """`rates` are those of the edges, `bus_rates` what the buses carry."""

    def __init__(self, journeys: Journeys, observed: ObservedEvents, hub: Hub) -> None:
        self._journeys, self._observed, self._hub = journeys, observed, hub
        self.rates, self.bus_rates, self._left_out = Rates(), Rates(), Rates()
        self._lock = threading.Lock()
        self.seen, self.unrecognized, self.discarded = 0, 0, 0

    def observe(self, bus: str, body: str, at: datetime, every_nth: int) -> None:
        """Take in one event of a bus, where one of `every_nth` is let through."""
        try:
            event = parse_observed(body, at=at, bus=bus, domain=self._journeys.domain_of_bus[bus])
        except NotAnEvent:
            # Any account that the policy allows may put anything on a bus: it counts as traffic.
            with self._lock:
                self.unrecognized += 1
            self.bus_rates.count([bus])
            return
        if not is_shown(event.aggregate_id, every_nth) or not self._observed.add(event):
            return  # sent before the tap let fewer through; or delivered twice
        with self._lock:
            self.seen += 1
        edges, handled = self.proven(event)
        self.rates.count([*edges, *handled], every_nth)
        self.bus_rates.count([bus], every_nth)
        self._hub.event(lambda: _document(event, edges, handled))

    def discard(self, count: int) -> None:
        """Count events that were discarded unread."""
        with self._lock:
            self.discarded += count
        self._left_out.count(["all"], count)

    @property
    def left_out(self) -> int:
        """How many events were discarded in the last ten seconds."""
        return round(self._left_out.per_second().get("all", 0.0) * WINDOW)

    def proven(self, event: ObservedEvent) -> tuple[list[str], list[str]]:
        """The edges that an event proves, and those of the handling that led to it.

        A replay puts an event on a bus again: it did not pass an outbox.
        """
        journeys, domain = self._journeys, event.domain
        onward = journeys.matched(event.bus, event.source, event.event_type, event.routed_by)
        if event.replay_name is not None or not event.own:
            return onward, []
        published = journeys.published(domain)
        if event.causation_id is None:
            return [*journeys.committed(domain, by_request=True), *published, *onward], []
        mine = self._observed.of_aggregate(event.aggregate_id)  # the cause is of the same one
        causes = (each.event_type for each in mine if each.event_id == event.causation_id)
        handled = journeys.handled(domain, next(causes, None))
        return [*published, *onward], handled or journeys.committed(domain, by_request=False)


def _document(event: ObservedEvent, edges: list[str], handled: list[str]) -> dict[str, Any]:
    return {
        "at": format_timestamp(event.at),
        "bus": event.bus,
        "eventType": event.event_type,
        "eventId": event.event_id,
        "subscriptionId": event.aggregate_id,
        "source": event.source,
        "own": event.own,
        "replay": event.replay_name,
        "edges": edges,
        "handled": handled,
    }
