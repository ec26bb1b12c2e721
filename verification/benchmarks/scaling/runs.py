"""Plays the model at one rate, and says how long things took and where work piled up."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles

from verification.benchmarks.scaling.events import MEASURES, Life
from verification.benchmarks.scaling.knobs import Knobs
from verification.benchmarks.scaling.system import System
from verification.benchmarks.scaling.waiting import Process
from verification.benchmarks.scaling.world import World

LIVES = 2000
"""Subscriptions in a run: so many requests, whatever the rate; a run lasts 30 s at least."""

SHORTEST = 30.0
WARM_UP = 0.25
"""Share of a run that is not measured: the pipeline fills."""

SETTLES = 20.0
"""Seconds after the last request in which what is on its way may arrive."""

PILED_UP = 0.05
"""Of all that came in a run's second half, the share that has to be left over as a backlog."""


@dataclass(frozen=True)
class Spread:
    """Seconds."""

    p50: float
    p99: float


@dataclass(frozen=True)
class Run:
    """`rate` is subscriptions a minute; `backlog` names the stage where most piled up, if any."""

    knobs: Knobs
    rate: float
    spreads: dict[str, Spread]
    backlog: str | None


def play(knobs: Knobs, rate: float, *, seed: int = 1, lives: int = LIVES) -> Run:
    """Play `rate` requests a minute, as a Poisson process; the same seed plays the same run."""
    part = knobs.slice()
    a_second = rate / 60 / knobs.slices
    world = World(part, seed)
    system = System(world)
    length = max(SHORTEST, lives / a_second)
    begun: list[Life] = []
    world.env.process(_arrive(world, system, a_second, length, begun))
    world.env.run(until=length / 2)
    halfway = {id(stage): stage.inside for stage in system.stages}
    arrived = len(begun)
    world.env.run(until=length)
    growth: dict[str, int] = {}
    for stage in system.stages:
        grown = stage.inside - halfway[id(stage)]
        growth[stage.name] = growth.get(stage.name, 0) + grown
    most = max(growth, key=lambda name: growth[name])
    piled_up = growth[most] > PILED_UP * (len(begun) - arrived)
    world.env.run(until=length + SETTLES)
    measured = [life for life in begun if life.requested >= WARM_UP * length]
    return Run(
        knobs=knobs,
        rate=rate,
        spreads={measure: _spread(measured, measure, world.env.now) for measure in MEASURES},
        backlog=most if piled_up else None,
    )


def _arrive(
    world: World, system: System, a_second: float, length: float, begun: list[Life]
) -> Process:
    while True:
        yield world.env.timeout(world.random.expovariate(a_second))
        if world.env.now >= length:
            return
        life = Life(len(begun), world.env.now, world.env.event())
        begun.append(life)
        world.env.process(system.live(life))


def _spread(lives: Sequence[Life], measure: str, now: float) -> Spread:
    """Percentiles; what has not arrived counts with the time that it has been on its way."""
    found = [seconds for life in lives if (seconds := life.seconds(measure, now)) is not None]
    if len(found) < 2:  # noqa: PLR2004 (percentiles need two)
        return Spread(float("nan"), float("nan"))
    cuts = quantiles(found, n=100)
    return Spread(cuts[49], cuts[98])
