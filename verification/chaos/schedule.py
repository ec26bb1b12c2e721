"""What goes wrong when: drawn from a seed, so that a run can be had again."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from infra.topology import WORKLOADS
from runtime.verdicts import Family
from verification.testkit.injected_fault import AnyFault, FaultKind

MONGOD = "mongod"
AWS = "aws"
SERVICE_TARGETS = {"events": "AWSEvents", "sqs": "AmazonSQS", "dynamodb": "DynamoDB"}
"""How each service's requests name it (x-amz-target): an outage is mostly one service's."""

ENDPOINTS = {AWS: "", **SERVICE_TARGETS}
"""What a fault of the endpoint can be aimed at: all of AWS, or one service."""

WORKLOAD_NAMES = tuple(workload.name for workload in WORKLOADS)


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong `start` seconds after the beginning, for `duration` seconds.

    `chance` is the share of requests that an endpoint's fault hits.
    """

    kind: AnyFault
    target: str
    start: float
    duration: float
    chance: float = 1.0

    @property
    def end(self) -> float:
        return self.start + self.duration


Range = tuple[float, float]
"""The shortest and the longest; seconds, or shares."""


@dataclass(frozen=True)
class Lane:
    """Faults that exclude each other, with a pause after each for what was hit to recover in."""

    bag: Sequence[tuple[AnyFault, str]]
    duration: Range
    pause: Range


PROCESS_FAULTS = Lane(
    bag=(
        *((FaultKind.KILL, name) for name in (*WORKLOAD_NAMES, MONGOD)),
        *((FaultKind.FREEZE, name) for name in (*WORKLOAD_NAMES, MONGOD)),
    ),
    duration=(0.2, 5),
    pause=(3, 5.5),
)
OUTAGES = (FaultKind.CUT, FaultKind.SLOW, FaultKind.THROTTLE, FaultKind.ERROR, FaultKind.DROP)
REFUSALS_OF_AWS = (Family.CLOCK, Family.EXPIRED, Family.CREDENTIALS, Family.RIGHTS)
REFUSALS_OF_A_SERVICE = (Family.KEYS, Family.MISSING, Family.UNKNOWN)
"""Refusals that hold; throttling and 5xx have kinds of their own. A clock and credentials are a
process's, for whatever it calls; a key or a resource is one service's."""

REQUEST_FAULTS = Lane(
    bag=(
        *((family, AWS) for family in REFUSALS_OF_AWS),
        *((family, service) for family in REFUSALS_OF_A_SERVICE for service in SERVICE_TARGETS),
        *((kind, endpoint) for kind in OUTAGES for endpoint in ENDPOINTS),
        *((FaultKind.HALF_FAIL, endpoint) for endpoint in ENDPOINTS),
        (FaultKind.CONFLICT, "dynamodb"),
        (FaultKind.BACKLOG, "events"),
        (FaultKind.ROTATE, AWS),
    ),
    duration=(1, 5),
    pause=(2, 5),
)
"""The two lanes overlap: a relay is killed while its bus throttles. Even if every draw were the
longest they hold 117 faults in ten minutes."""

CHANCE = (0.3, 1.0)
"""Less than one of three requests is what botocore's own retries hide."""

CLOCK_OFFSETS = (-90.0, -20.0, -3.0, 0.0, 0.0, 0.0, 3.0, 20.0, 90.0)
"""Seconds that the clock of a process is off; one of three is right."""


def draw_faults(seed: int, seconds: float) -> list[Fault]:
    """Draw the faults of a run of that length, in order; each ends before the run does."""
    faults = [
        fault
        for number, lane in enumerate((PROCESS_FAULTS, REQUEST_FAULTS))
        for fault in _fill(lane, random.Random(f"{seed}/{number}"), seconds)  # noqa: S311 (not secret)
    ]
    return sorted(faults, key=lambda fault: fault.start)


def draw_clocks(seed: int) -> dict[str, float]:
    """Draw by how many seconds the clock of each process is off."""
    chosen = random.Random(f"{seed}/clocks")  # noqa: S311 (not secret)
    return {name: chosen.choice(CLOCK_OFFSETS) for name in WORKLOAD_NAMES}


def _fill(lane: Lane, chosen: random.Random, seconds: float) -> Iterator[Fault]:
    """Empty the bag again and again, in another order each time: so that nothing is left out."""
    time = chosen.uniform(*lane.pause)
    while True:
        for kind, target in chosen.sample(lane.bag, len(lane.bag)):
            fault = Fault(
                kind,
                target,
                start=round(time, 2),
                duration=round(chosen.uniform(*lane.duration), 2),
                chance=round(chosen.uniform(*CHANCE), 2),
            )
            if fault.end > seconds:
                return
            yield fault
            time = fault.end + chosen.uniform(*lane.pause)
