"""What an instance of DocumentDB allows, and what the processes of a stage may open there in all.

All of them write to one instance and read from it: the cluster's primary.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel

from infra.workloads import EmptiesDocuments, OwnsDocuments, Workload
from runtime.mongodb import Bounds


class Quotas(NamedTuple):
    """Of one instance, as AWS's page has them: a connection is active while it runs a command."""

    connections: int
    cursors: int
    transactions: int
    active_connections: int


_BURSTABLE = Quotas(1000, 30, 50, 102)
_BY_SIZE = {
    "large": Quotas(3400, 450, 200, 1100),
    "xlarge": Quotas(7000, 450, 400, 2700),
    "2xlarge": Quotas(14_200, 450, 800, 4500),
    "4xlarge": Quotas(28_400, 760, 1600, 4500),
    "8xlarge": Quotas(60_000, 1520, 3200, 4500),
    "12xlarge": Quotas(60_000, 2280, 4800, 4500),
    "16xlarge": Quotas(60_000, 3040, 6400, 4500),
}

QUOTAS: Mapping[str, Quotas] = {
    "db.t3.medium": _BURSTABLE,
    "db.t4g.medium": _BURSTABLE,
    **{
        f"db.{family}.{size}": quotas
        for family in ("r5", "r6g", "r8g")
        for size, quotas in _BY_SIZE.items()
    },
    "db.r8g.24xlarge": Quotas(60_000, 4560, 9600, 4500),
    "db.r8g.48xlarge": Quotas(60_000, 9120, 9600, 4500),
}
"""By the instance's class, for engine 5.0. No quota of an instance can be raised.
https://docs.aws.amazon.com/documentdb/latest/developerguide/limits.html#limits.instance, in a copy
read on 2026-12-01."""

RELAY_CURSORS = 3
"""A change stream, a sweep's scan, and a look at how much is left and how old it is."""

PROVISIONER = Bounds(transactions=0, cursors=1, connections=1)
"""It makes one call at a time, and may run beside everything else: before a deployment's tasks."""


class QuotaError(Exception):
    """The processes of a stage may open more than its instance allows."""


class DocumentDb(BaseModel):
    """A stage's DocumentDB: the class of its instances, and what one process has open at a time.

    With the defaults, four tasks of the API and four of the consumer are within what a
    db.t4g.medium allows, also while a deployment doubles them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    instance_class: str = "db.t4g.medium"
    max_transactions: int = Field(default=3, ge=1)
    max_cursors: int = Field(default=3, ge=1)
    max_connections: int = Field(default=5, ge=2)  # a change stream occupies one

    @field_validator("instance_class")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in QUOTAS:
            raise ValueError(f"its quotas are not known; one of {', '.join(QUOTAS)}")
        return name

    @property
    def quotas(self) -> Quotas:
        return QUOTAS[self.instance_class]

    def bounds_of(self, workload: Workload) -> Bounds:
        """What one of its tasks may open: 0 for what its work does not need."""
        owns = any(isinstance(use, OwnsDocuments) for use in workload.uses)
        relays = any(isinstance(use, EmptiesDocuments) for use in workload.uses)
        lists = self.max_cursors if workload.path else 0
        return Bounds(
            transactions=self.max_transactions if owns else 0,
            cursors=RELAY_CURSORS if relays else lists,
            connections=self.max_connections,
        )

    def environment_of(self, workload: Workload) -> dict[str, str]:
        """Those bounds, as a process reads them."""
        bounds = self.bounds_of(workload)
        return {
            "MONGODB_MAX_TRANSACTIONS": str(bounds.transactions),
            "MONGODB_MAX_CURSORS": str(bounds.cursors),
            "MONGODB_MAX_CONNECTIONS": str(bounds.connections),
        }

    def require_room(self, most_tasks: Sequence[tuple[Workload, int]]) -> None:
        """Raise QuotaError unless all that may run at once are within the instance's quotas.

        `most_tasks` says how many tasks of each process that uses DocumentDB that may be.
        """
        for kind, quota in _QUOTA_OF.items():
            opens = [(getattr(self.bounds_of(one), kind), one.name, n) for one, n in most_tasks]
            total = sum(each * n for each, _, n in opens) + getattr(PROVISIONER, kind)
            allowed = getattr(self.quotas, quota)
            if total > allowed:
                tasks = ", ".join(f"{n} x {each} {name}" for each, name, n in opens)
                raise QuotaError(
                    f"all tasks, old and new ones during a deployment, may have {total} {kind} open"
                    f" at a time ({tasks}), and a {self.instance_class} allows {allowed}: lower"
                    f" documentDb.{to_camel(f'max_{kind}')} or the number of tasks"
                    f"{_larger_class(quota, total)}"
                )


_QUOTA_OF = {
    "transactions": "transactions",
    "cursors": "cursors",
    "connections": "active_connections",
}
"""The quota that each of a process's bounds counts towards."""


def _larger_class(quota: str, total: int) -> str:
    """Say which is the smallest class of the newer families that allows so much, if one does."""
    names = (name for name in QUOTAS if name.startswith(("db.r6g", "db.r8g")))
    found = next((name for name in names if getattr(QUOTAS[name], quota) >= total), None)
    if found is None:
        return ""
    allows = getattr(QUOTAS[found], quota)
    return f", or set documentDb.instanceClass to {found}, which allows {allows}"
