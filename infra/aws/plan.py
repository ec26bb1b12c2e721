"""What every stack is rendered from: a stage, the topology, and where each domain then lives."""

from dataclasses import dataclass

from infra.arns import AccountRegion, Arns
from infra.resources import Domain
from infra.stages import Stage
from infra.topology import WORKLOADS, Topology
from infra.workloads import Workload

SYSTEM = "streamed-events"
"""What the names of our stacks, clusters and logs begin with."""


@dataclass(frozen=True, slots=True)
class Site:
    """An account and region, with the domains that live there."""

    account_region: AccountRegion
    domains: tuple[Domain, ...]
    alone: bool

    @property
    def suffix(self) -> str:
        """What distinguishes this site's stacks from those of another; empty for the only site."""
        return "" if self.alone else "-" + "-".join(domain.name for domain in self.domains)


@dataclass(frozen=True, slots=True)
class Plan:
    stage: Stage
    topology: Topology
    arns: Arns

    @classmethod
    def of(cls, stage: Stage, topology: Topology, own_account: str) -> "Plan":
        """Raises StageError for accounts that do not fit the topology."""
        return cls(stage, topology, Arns(topology, stage.account_regions(topology, own_account)))

    @property
    def sites(self) -> tuple[Site, ...]:
        accounts = list(dict.fromkeys(self.arns.accounts[d.name] for d in self.topology.domains))
        return tuple(
            Site(
                account,
                tuple(d for d in self.topology.domains if self.arns.accounts[d.name] == account),
                alone=len(accounts) == 1,
            )
            for account in accounts
        )

    @property
    def copies(self) -> int:
        """How many run of a process that may run more than once."""
        return 2 if self.stage.protected else 1

    @property
    def cluster_name(self) -> str:
        return self.stack_name("services")

    def stack_name(self, part: str) -> str:
        return f"{SYSTEM}-{self.stage.name}-{part}"


def workloads_of(domain: Domain) -> tuple[Workload, ...]:
    return tuple(workload for workload in WORKLOADS if workload.domain == domain.name)
