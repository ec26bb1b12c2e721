"""Everything that the console's routes are made of, put together once."""

import secrets

from console.apis import apis_of, tried_apis
from console.live.hub import Hub
from console.live.journeys import Journeys
from console.live.measures import Measures
from console.live.observed_events import ObservedEvents
from console.live.observing import Observer
from console.live.tapping import Tapping
from console.live.taps import ConsoleTap
from console.live.watching import SystemWatch
from console.settings import ConsoleSettings, environment_of
from infra.graph import graph_of
from runtime.ids import utc_now
from runtime.metrics import new_registry
from runtime.process.shutdown import Stop


class Parts:
    """Nothing is called before `start`; `token` is what an action has to show."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self.settings, self.environment = settings, environment_of(settings)
        topology = self.environment.topology
        self.graph = graph_of(topology, self.environment.workloads)
        self.apis = apis_of(settings, self.environment)
        self.tried_apis = tried_apis(self.apis, settings, self.environment)
        self.hub, self.observed, self.stop = Hub(), ObservedEvents(), Stop()
        observer = Observer(Journeys(self.graph), self.observed, self.hub)
        taps = [
            ConsoleTap(self.environment.aws(domain.name), bus.name, settings.console_name)
            for domain in topology.domains
            for bus in domain.buses
        ]
        self.tapping = Tapping(taps, observer, self.stop)
        measures = Measures(
            self.environment, self.apis, dead_letter_seconds=settings.console_dead_letter_seconds
        )
        self.watch = SystemWatch(self.graph, measures, self.tapping, observer, self.hub, self.stop)
        self.registry = new_registry()
        self.token = secrets.token_urlsafe(32)
        self.started = utc_now()

    def start(self) -> None:
        """Begin to tap and to watch."""
        self.tapping.start()
        self.watch.start()

    def end(self) -> None:
        """Stop, and take the taps away; open streams are closed."""
        self.stop.request()
        self.hub.close()
        self.tapping.end()
