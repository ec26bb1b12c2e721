"""How many tasks of a process run on AWS: one table, by the process's name, else by its kind."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from infra.topology import WORKLOADS
from infra.workloads import Workload

if TYPE_CHECKING:
    from infra.stages import Stage


@dataclass(frozen=True, slots=True)
class Scaling:
    """Tasks of a protected stage, at least and at most, and what each of them is kept at.

    `processor` is percent of a task's CPU, `requests` are a task's in a second, `backlog` messages
    that wait for a task. Without any of them the number stays the least.
    """

    least: int
    most: int
    processor: int | None = None
    requests: int | None = None
    backlog: int | None = None

    @property
    def is_fixed(self) -> bool:
        return self.least == self.most


# The smallest task serves about 50 requests a second, and a consumer's handles about 80 messages
# (docs/scaling.md): a task is kept at six tenths of the one, a backlog at ten seconds of the other.
_API = Scaling(2, 10, processor=60, requests=30)
_CONSUMER = Scaling(2, 10, backlog=800)

SCALING: Mapping[str, Scaling] = {
    "api": _API,
    "consumer": _CONSUMER,
    # DocumentDB's smallest instance has 50 open transactions and 102 connections for all of them,
    # twice as many tasks during a deployment.
    "payment-api": replace(_API, most=3),
    "payment-consumer": replace(_CONSUMER, most=3),
    # A change stream has one reader, and two of an outbox would publish all of it twice.
    "outbox relay": Scaling(1, 1),
    # The second is for the loss of a zone: two forward more than one change stream brings.
    "relay": Scaling(2, 2),
}


def scaling_of(workload: Workload) -> Scaling:
    return SCALING.get(workload.name) or SCALING[_kind(workload)]


def most_tasks(stage: "Stage") -> dict[str, int]:
    """By process, the most tasks of it that a stage runs; without those that are functions.

    While a service is deployed, with old tasks beside new ones, it may be twice that.
    """
    return {
        each.name: scaling_of(each).most if stage.protected else 1
        for each in WORKLOADS
        if each.empties is None
    }


def _kind(workload: Workload) -> str:
    if workload.is_relay:
        return "outbox relay" if workload.relays_outbox else "relay"
    return "api" if workload.path else "consumer"
