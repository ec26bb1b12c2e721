"""Everything that the console's routes are made of, put together once."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import CollectorRegistry

from console.apis import Apis, apis_of
from console.live.hub import Hub
from console.live.journeys import Journeys
from console.live.measures import Measures
from console.live.observing import Observer
from console.live.rates import Rates
from console.live.sampling import Sampler
from console.live.sightings import Sightings
from console.live.tapping import Tapping
from console.live.taps import taps_of
from console.live.watching import Watch
from console.place import place_of
from console.settings import ConsoleSettings
from infra.graph import Graph, graph_of
from operations.place import Place
from runtime.ids import utc_now
from runtime.metrics import new_registry
from runtime.process.shutdown import Stop


@dataclass(frozen=True)
class Parts:
    """`token` is what an action has to show; `stop` ends the threads."""

    settings: ConsoleSettings
    place: Place
    graph: Graph
    apis: Apis
    hub: Hub
    sightings: Sightings
    observer: Observer
    tapping: Tapping
    watch: Watch
    stop: Stop
    registry: CollectorRegistry = field(default_factory=new_registry)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    started: datetime = field(default_factory=utc_now)

    def start(self) -> None:
        """Begin to tap and to watch."""
        self.tapping.start()
        self.watch.start()

    def end(self) -> None:
        """Stop, and take the taps away; whoever streams is let go."""
        self.stop.request()
        self.hub.close()
        self.tapping.end()


def parts_of(settings: ConsoleSettings) -> Parts:
    """Put the console together; nothing is called before `start`."""
    place, stop, hub = place_of(settings), Stop(), Hub()
    apis = apis_of(settings, place)
    graph = graph_of(place.topology, place.workloads)
    sightings, rates, bus_rates = Sightings(), Rates(), Rates()
    observer = Observer(Journeys(graph), sightings, rates, bus_rates, hub)
    accounts = {domain.name: place.aws(domain.name) for domain in place.topology.domains}
    taps = taps_of(place.topology, settings.console_name, accounts)
    tapping = Tapping(taps, observer, Sampler(), bus_rates, stop)
    measures = Measures(place, apis, dead_letter_seconds=settings.console_dead_letter_seconds)
    watch = Watch(graph, measures, tapping, observer, rates, bus_rates, hub, stop)
    return Parts(
        settings=settings,
        place=place,
        graph=graph,
        apis=apis,
        hub=hub,
        sightings=sightings,
        observer=observer,
        tapping=tapping,
        watch=watch,
        stop=stop,
    )
