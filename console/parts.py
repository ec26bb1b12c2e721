"""Everything that the console's routes are made of, put together once."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import CollectorRegistry

from console.apis import Apis, apis_of
from console.environment import environment_of
from console.live.hub import Hub
from console.live.journeys import Journeys
from console.live.measures import Measures
from console.live.observed_events import ObservedEvents
from console.live.observing import Observer
from console.live.rates import Rates
from console.live.sampling import Sampler
from console.live.tapping import Tapping
from console.live.taps import taps_of
from console.live.watching import SystemWatch
from console.settings import ConsoleSettings
from infra.graph import Graph, graph_of
from operations.environment import Environment
from runtime.ids import utc_now
from runtime.metrics import new_registry
from runtime.process.shutdown import Stop


@dataclass(frozen=True)
class Parts:
    """`token` is what an action has to show; `stop` ends the threads."""

    settings: ConsoleSettings
    environment: Environment
    graph: Graph
    apis: Apis
    hub: Hub
    observed: ObservedEvents
    observer: Observer
    tapping: Tapping
    watch: SystemWatch
    stop: Stop
    registry: CollectorRegistry = field(default_factory=new_registry)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    started: datetime = field(default_factory=utc_now)

    def start(self) -> None:
        """Begin to tap and to watch."""
        self.tapping.start()
        self.watch.start()

    def end(self) -> None:
        """Stop, and take the taps away; open streams are closed."""
        self.stop.request()
        self.hub.close()
        self.tapping.end()


def parts_of(settings: ConsoleSettings) -> Parts:
    """Put the console together; nothing is called before `start`."""
    environment, stop, hub = environment_of(settings), Stop(), Hub()
    apis = apis_of(settings, environment)
    graph = graph_of(environment.topology, environment.workloads)
    observed, rates, bus_rates = ObservedEvents(), Rates(), Rates()
    observer = Observer(Journeys(graph), observed, rates, bus_rates, hub)
    accounts = {
        domain.name: environment.aws(domain.name) for domain in environment.topology.domains
    }
    taps = taps_of(environment.topology, settings.console_name, accounts)
    tapping = Tapping(taps, observer, Sampler(), bus_rates, stop)
    measures = Measures(environment, apis, dead_letter_seconds=settings.console_dead_letter_seconds)
    watch = SystemWatch(graph, measures, tapping, observer, rates, bus_rates, hub, stop)
    return Parts(
        settings=settings,
        environment=environment,
        graph=graph,
        apis=apis,
        hub=hub,
        observed=observed,
        observer=observer,
        tapping=tapping,
        watch=watch,
        stop=stop,
    )
