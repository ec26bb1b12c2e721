"""One history: a plan is carried out under choices until all is quiet, and then checked."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from infra.topology import WORKLOADS
from tests.simulation.cursing import cursed_plan
from tests.simulation.fates import Choices, Fate, Given, Kind, Seeded, Spot
from tests.simulation.lambdas import Lambda
from tests.simulation.outside import Outside
from tests.simulation.places import Places
from tests.simulation.plans import Plan, plan_of
from tests.simulation.promises import check, check_curses_set_aside, check_no_outage_buried
from tests.simulation.relaying import Parts, Relays
from tests.simulation.scheduling import Scheduler
from tests.simulation.serving import Services
from tests.simulation.simulated_processes import Process
from tests.simulation.telling import Finding, Story
from tests.simulation.wires import Weather

MOST_TURNS = 20_000
"""Of one history; most take some hundreds. What needs more does not settle."""


CURSED_EVERY = 1000
"""One of so many seeds is a history of poison of unknown kind: it takes as long as a hundred."""


@dataclass(frozen=True)
class History:
    """What is needed to play it again exactly: the seed, the plan, and the choices."""

    seed: int
    plan: Plan
    choices: Mapping[Spot, Fate] = field(default_factory=dict)


@dataclass(frozen=True)
class Ended:
    """How a history ended."""

    history: History
    finding: str | None
    story: str
    turns: int

    @property
    def struck(self) -> Counter[Kind]:
        """How often what befell a call, by kind."""
        return Counter(fate.kind for fate in self.history.choices.values())


def play_seed(seed: int, parts: Parts) -> Ended:
    """Play the history of a seed: an even one is on Custom Event Buses."""
    chance = random.Random(seed)
    plan = cursed_plan(chance) if seed % CURSED_EVERY == 0 else plan_of(chance)
    plan = replace(plan, is_custom=seed % 2 == 0)
    return _play(seed, plan, Seeded(chance, plan.allowed, plan.share), parts, is_told=False)


def replay(history: History, parts: Parts, *, is_told: bool = False) -> Ended:
    """Play a history once more; told, it says what happened step by step."""
    return _play(history.seed, history.plan, Given(history.choices), parts, is_told=is_told)


def _play(seed: int, plan: Plan, choices: Choices, parts: Parts, *, is_told: bool) -> Ended:
    # The jitter of the code's own back-off is drawn from Python's global generator.
    random.seed(seed)
    world = World(plan, choices, parts, is_told=is_told)
    finding = None
    try:
        world.run()
    except Finding as found:
        finding = str(found)
    finally:
        world.end()
    history = History(seed, plan, choices.made)
    return Ended(history, finding, str(world.weather.story), world.scheduler.turns)


class World:
    """The whole system, put together for one history."""

    def __init__(self, plan: Plan, choices: Choices, parts: Parts, *, is_told: bool) -> None:
        self._plan = plan
        self.scheduler = Scheduler()
        story = Story(self.scheduler, is_told=is_told)
        self.weather = Weather(self.scheduler, choices, story)
        self._places = Places(self.weather, plan, parts.stock)
        self._services = Services(self.weather, self._places, parts.messages)
        self._relays = Relays(self.weather, self._places, plan, parts)
        self._processes: dict[str, Process] = {}
        self._aws = Process("AWS", self.scheduler, story, lambda process: None)
        self._unseen = [self._aws]
        for workload in WORKLOADS:
            self._add(workload)
        self._outside = Outside(self.weather, self._places, self._services, self._processes)

    def run(self) -> None:
        """Carry the plan out, let it settle with all faults off, and check. Raises Finding."""
        if self._plan.is_custom and self.weather.story.is_told:
            self.weather.story.tell("AWS", "has Custom Event Buses")
        self._aws.start()
        for process in self._processes.values():
            process.start()
        for act in self._plan.acts:
            self._outside.waiting += 1
            self.scheduler.at(act.at, lambda act=act: self._outside.carry_out(act))  # type: ignore[misc]
        self._settle("while the plan was carried out", lambda: not self._outside.waiting)
        self.weather.choices.is_calm = True
        self._settle("when all faults were over", self._is_quiet)
        check_no_outage_buried(self._plan, self._places, self._outside)
        check_curses_set_aside(self._plan, self._places)
        for cursed in self._places.cursed.values():
            cursed.clear()
        self._outside.redrive()
        self._settle("after the redrive", self._is_quiet)
        check(self._plan, self._places, self._outside)

    def end(self) -> None:
        """Let go of every task, and of what would hold on to itself.

        Finding that is the garbage collector's work, and took a fifth of a history's time.
        """
        for process in (*self._unseen, *self._processes.values()):
            process.end()
        self.scheduler.end()
        vars(self._places).clear()

    def _settle(self, when: str, is_quiet: Any) -> None:
        if not self.scheduler.run(until=is_quiet, most_turns=MOST_TURNS):
            raise Finding(f"it does not settle {when}")

    def _is_quiet(self) -> bool:
        return self._places.is_empty() and not self._outside.waiting

    def _add(self, workload: Any) -> None:
        """Make a workload's process, or those of its two functions."""
        relays, databases = self._relays, self._places.databases
        if workload.name == "stock-api":
            return
        if workload.path:
            self._process(workload.name, lambda process: None)
        elif not workload.relays_outbox and workload.command[0] == "relay":
            self._process(workload.name, partial(relays.forwarder, workload))
        elif not workload.relays_outbox:
            self._process(workload.name, partial(self._services.consume, workload))
        elif workload.empties in self._plan.mapped:
            self._add_functions(workload)
        else:
            database = databases[workload.domain]
            self._process(workload.name, partial(relays.daemon, workload, database))

    def _add_functions(self, workload: Any) -> None:
        database = self._places.databases[workload.domain]
        function = Lambda(self.scheduler, self._places, self._relays, workload, database)
        publishing = self._process(workload.name, function.body)
        sweeping = Process(
            f"{workload.name}-sweep", self.scheduler, self.weather.story, lambda process: None
        )
        sweeping.may_fail = True
        self._unseen.append(sweeping)
        self._aws.spawn(lambda: function.map(publishing))
        function.sweep(sweeping)

    def _process(self, name: str, body: Any) -> Process:
        process = Process(name, self.scheduler, self.weather.story, body)
        process.may_fail = Kind.ODD in self._plan.allowed
        self._processes[name] = process
        return process
