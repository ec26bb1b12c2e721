"""Looks at the system, once a second while a page follows, and gives every page a new snapshot."""

import threading
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import structlog

from console.live.hub import Hub
from console.live.measures import Measures, Reading
from console.live.observing import Observer
from console.live.sampling import sentence
from console.live.states import needing_attention, states_of
from console.live.tapping import Tapping
from contracts.timestamps import format_timestamp
from infra.graph import Graph
from runtime.ids import utc_now
from runtime.process.shutdown import Stop

log = structlog.get_logger(__name__)

EVERY = 1.0
"""Seconds from one snapshot to the next."""

UNWATCHED_EVERY = 5.0
"""Seconds from one look to the next while no page follows: each asks every queue and every API."""

STALE = 10.0
"""Seconds after which the console is not ready: it knows nothing new."""


@dataclass
class SystemWatch:
    """`reading` is the newest; any thread may read it."""

    graph: Graph
    measures: Measures
    tapping: Tapping
    observer: Observer
    hub: Hub
    stop: Stop
    reading: Reading = field(default_factory=Reading)
    _looked: float = field(default=float("-inf"), repr=False)
    _said: str | None = field(default=None, repr=False)

    def start(self) -> None:
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    @property
    def why_not_ready(self) -> str | None:
        """None while the taps are in place and the newest look is fresh and whole."""
        if monotonic() - self._looked > STALE:
            return "it has not looked at the system yet, or not lately"
        return self.trouble

    @property
    def trouble(self) -> str | None:
        return self.reading.trouble or self.tapping.trouble

    def snapshot(self) -> dict[str, Any]:
        """Look once, and write what was found."""
        self.reading = self.measures.look()
        self._looked = monotonic()
        rates, buses = self.observer.rates.per_second(), self.observer.bus_rates.per_second()
        states = states_of(self.graph, self.reading, rates)
        every_nth = self.tapping.sampler.every_nth
        said = sentence(every_nth, sum(buses.values()), self.observer.left_out)
        return {
            "at": format_timestamp(utc_now()),
            "sampling": {"everyNth": every_nth, "sentence": said},
            "nodes": {node: state.document() for node, state in states.items()},
            "rates": rates,
            "busRates": buses,
            "needsPerson": needing_attention(states),
            "consoleBehindSeconds": round(self.tapping.behind, 1),
        }

    def _run(self) -> None:
        while not self.stop.requested:
            started = monotonic()
            try:
                self.hub.snapshot(self.snapshot())
                self._say_trouble()
            except Exception:
                log.exception("no snapshot")  # the next one may be better, and the thread is needed
            self.rest(started)

    def rest(self, started: float) -> None:
        """Wait for the look after one that `started`; a page that joins waits EVERY at most."""
        self.stop.wait(max(0.05, EVERY - (monotonic() - started)))
        while not self.hub.pages and monotonic() - started < UNWATCHED_EVERY:
            if self.stop.wait(EVERY):
                break

    def _say_trouble(self) -> None:
        trouble = self.trouble
        if trouble and trouble != self._said:
            self.hub.say("trouble", {"sentence": trouble})
            log.warning("trouble", reason=trouble)
        self._said = trouble
