"""One system as it is reached through AWS: clients for each domain's account, the topology."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.topology import TOPOLOGY, WORKLOADS, Topology
from infra.workloads import Workload
from operations.errors import NoSuchName
from runtime.aws import Aws, CachingAws

AUDIT_FILE = "streamed-operations.jsonl"

LEASE_SECONDS = 120
"""Seconds until what a killed command leased is visible again, if no setting says otherwise."""

READ_TIMEOUT = 10.0
"""Seconds for one call: a person waits, and an emulator with long queues is slow."""


@dataclass(frozen=True)
class Environment:
    """Makes clients when they are first asked for: a command needs only what it uses.

    `hold_seconds` is how long leased dead letters stay hidden after a command was killed.
    `has_custom_buses`: relays publish to Custom Event Buses.
    `profiles` are those of the domains with an account of their own; `metrics` has a URL for each
    process whose /metrics can be read.
    """

    region: str
    endpoint_url: str | None
    audit_file: Path
    hold_seconds: int = LEASE_SECONDS
    profiles: Mapping[str, str | None] = field(default_factory=dict)
    has_custom_buses: bool = False
    metrics: Mapping[str, str] = field(default_factory=dict)
    topology: Topology = TOPOLOGY
    workloads: tuple[Workload, ...] = WORKLOADS
    _made: dict[str | None, Aws] = field(default_factory=dict, repr=False, compare=False)

    @property
    def emulated(self) -> bool:
        """Whether AWS is an emulator, which has no CloudWatch metrics."""
        return self.endpoint_url is not None

    def aws(self, domain: str) -> Aws:
        """The account that a domain lives in: "subscriptions", "stock" or "payments".

        Raises Misconfigured for one that cannot be called as the environment is.
        """
        domains = [each.name for each in self.topology.domains]
        if domain not in domains:
            raise NoSuchName("domain", domain, domains)
        profile = self.profiles.get(domain)
        if profile not in self._made:
            made = CachingAws(
                region=self.region,
                endpoint_url=self.endpoint_url,
                profile=profile,
                read_timeout=READ_TIMEOUT,
                patient=True,
            )
            made.require_credentials()
            self._made[profile] = made
        return self._made[profile]
