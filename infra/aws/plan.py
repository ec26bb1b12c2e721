"""What every stack is rendered from: a stage, the topology, and where each domain then lives."""

from dataclasses import dataclass

from infra.arns import AccountRegion, Arns
from infra.custom_buses import CustomBuses, on_custom_buses
from infra.documentdb_quotas import QuotaError
from infra.resources import Domain
from infra.scaling import most_tasks
from infra.stages import Stage, StageError
from infra.topology import WORKLOADS, Topology
from infra.workloads import Workload

SYSTEM = "streamed-events"
"""What the names of our stacks, clusters and logs begin with."""


@dataclass(frozen=True, slots=True)
class Site:
    """An account and region, with the domains that live there.

    `suffix` distinguishes its stacks from those of another site; empty for the only one.
    """

    account_region: AccountRegion
    domains: tuple[Domain, ...]
    suffix: str


@dataclass(frozen=True, slots=True)
class Plan:
    """`custom` is there for a stage on Custom Event Buses; `topology` is then what is beside it."""

    stage: Stage
    topology: Topology
    arns: Arns
    custom: CustomBuses | None = None

    @classmethod
    def of(cls, stage: Stage, topology: Topology, own_account: str) -> "Plan":
        """Raises StageError for accounts that do not fit the topology, and for too many tasks."""
        custom = on_custom_buses(topology) if stage.event_bus_kind == "custom" else None
        rendered = custom.classic if custom else topology
        arns = Arns(rendered, stage.account_regions(rendered, own_account))
        plan = cls(stage, rendered, arns, custom)
        plan.require_room_in_documentdb()
        return plan

    @property
    def sites(self) -> tuple[Site, ...]:
        found: dict[AccountRegion, tuple[Domain, ...]] = {}
        for domain in self.topology.domains:
            place = self.arns.accounts[domain.name]
            found[place] = (*found.get(place, ()), domain)
        return tuple(
            Site(place, here, "".join(f"-{each.name}" for each in here) if len(found) > 1 else "")
            for place, here in found.items()
        )

    @property
    def copies(self) -> int:
        """How many instances a database has."""
        return 2 if self.stage.protected else 1

    def most_tasks(self, workload: Workload) -> int:
        """How many run at once: while a deployment replaces them, old tasks and new ones.

        Of the one relay of an outbox, the old one stops first.
        """
        most = most_tasks(self.stage)[workload.name]
        return most if workload.relays_outbox else 2 * most

    def require_room_in_documentdb(self) -> None:
        """Raise StageError if all tasks may open more there than the stage's instance allows."""
        uses = (workload for workload in WORKLOADS if workload.uses_documents)
        try:
            self.stage.document_db.require_room([(each, self.most_tasks(each)) for each in uses])
        except QuotaError as error:
            raise StageError(f"cdk.json, stage {self.stage.name}: {error}") from None

    @property
    def cluster_name(self) -> str:
        return self.stack_name("services")

    def stack_name(self, part: str) -> str:
        return f"{SYSTEM}-{self.stage.name}-{part}"


def workloads_of(domain: Domain) -> tuple[Workload, ...]:
    return tuple(workload for workload in WORKLOADS if workload.domain == domain.name)
