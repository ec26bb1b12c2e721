"""EventBridge: rules of the real topology, one quota of invocations, a latency for each hop."""

from collections.abc import Callable, Mapping
from functools import partial

from infra.resources import ToBus, ToQueue
from verification.benchmarks.scaling import latency
from verification.benchmarks.scaling.events import Event
from verification.benchmarks.scaling.lifecycle import PUBLISHED, invocations_on, rules_of
from verification.benchmarks.scaling.waiting import later
from verification.benchmarks.scaling.world import World

Sink = Callable[[Event], None]


class Buses:
    """Delivers to `queues`, by name; logs and archives take their invocations and nothing else."""

    def __init__(self, world: World, queues: Mapping[str, Sink]) -> None:
        self._world, self._queues = world, queues
        self._stage = world.stage("EventBridge")

    def publish(self, event: Event) -> None:
        _, bus = PUBLISHED[event.type]
        self._arrive(event, bus)

    def _arrive(self, event: Event, bus: str) -> None:
        """Above the quota invocations are late, not lost."""
        late = self._world.invocations.wait(invocations_on(event.type, bus))
        for rule in rules_of(event.type, bus):
            match rule.target:
                case ToBus(name):
                    self._deliver(late, partial(self._arrive, event, name))
                case ToQueue(name):
                    self._deliver(late, partial(self._queues[name], event))
                case _:
                    pass

    def _deliver(self, late: float, call: Callable[[], None]) -> None:
        self._stage.enter()
        delay = late + latency.BUS.sample(self._world.random)
        later(self._world.env, delay, partial(self._delivered, call))

    def _delivered(self, call: Callable[[], None]) -> None:
        self._stage.leave()
        call()
