"""What all stages share: the clock, the dice, the account's quotas, and the list of stages."""

from math import inf
from random import Random

import simpy

from verification.benchmarks.scaling.knobs import Knobs
from verification.benchmarks.scaling.servers import RateQuota
from verification.benchmarks.scaling.waiting import Stage


class World:
    """`knobs` are those of the slice that is simulated."""

    def __init__(self, knobs: Knobs, seed: int) -> None:
        self.env = simpy.Environment()
        self.random = Random(seed)  # noqa: S311 (dice, no secrets)
        self.knobs = knobs
        self.stages: list[Stage] = []
        self.put_events = self.quota(knobs.put_events)
        self.invocations = self.quota(knobs.invocations)
        executions = max(1, int(knobs.lambda_concurrency))
        self.executions = simpy.Resource(self.env, executions)

    def quota(self, rate: float, burst: float | None = None) -> RateQuota:
        return RateQuota(self.env, rate or inf, burst=burst)

    def stage(self, name: str) -> Stage:
        stage = Stage(name)
        self.stages.append(stage)
        return stage
