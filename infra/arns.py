"""ARNs: what AWS calls a resource, once it is known in which account and region it lives."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.resources import Rule, SealingKey, Target, ToBus, ToLogGroup, ToQueue
from infra.topology import Topology


@dataclass(frozen=True, slots=True)
class AccountRegion:
    """Where a domain lives: an AWS account (12 digits) and a region."""

    account: str
    region: str


@dataclass(frozen=True, slots=True)
class Arns:
    """The ARN of any resource of `topology`, given each domain's account and region.

    The methods raise KeyError for a name that the topology does not have.
    """

    topology: Topology
    accounts: Mapping[str, AccountRegion]

    @classmethod
    def in_one_account(cls, topology: Topology, account: str, region: str) -> "Arns":
        """The default: every domain in the same account."""
        account_region = AccountRegion(account, region)
        return cls(topology, {domain.name: account_region for domain in topology.domains})

    def bus(self, name: str) -> str:
        return self._arn("events", self.topology.domain_of_bus(name), f"event-bus/{name}")

    def queue(self, name: str) -> str:
        return self._arn("sqs", self.topology.domain_of_queue(name), name)

    def log_group(self, name: str) -> str:
        return self._arn("logs", self.topology.domain_of_log_group(name), f"log-group:{name}")

    def table(self, name: str) -> str:
        return self._arn("dynamodb", self.topology.domain_of_table(name), f"table/{name}")

    def alias(self, key: SealingKey) -> str:
        return self._arn("kms", self.topology.domain_of_key(key.name), key.alias)

    def keys_beside(self, key: SealingKey) -> str:
        """Every key of its account and region: no policy may name one by its alias."""
        return self._arn("kms", self.topology.domain_of_key(key.name), "key/*")

    def rule(self, rule: Rule) -> str:
        domain = self.topology.domain_of_bus(rule.bus)
        return self._arn("events", domain, f"rule/{rule.bus}/{rule.name}")

    def account_of(self, rule: Rule) -> str:
        return self.accounts[self.topology.domain_of_bus(rule.bus)].account

    def role(self, rule: Rule) -> str | None:
        """The role with which `rule` puts events on another bus; None where it needs none."""
        return f"arn:aws:iam::{self.account_of(rule)}:role/{rule.role}" if rule.role else None

    def target(self, target: Target) -> str:
        match target:
            case ToBus(bus):
                return self.bus(bus)
            case ToQueue(queue):
                return self.queue(queue)
            case ToLogGroup(log_group):
                return self.log_group(log_group)

    def _arn(self, service: str, domain: str, resource: str) -> str:
        lives = self.accounts[domain]
        return f"arn:aws:{service}:{lives.region}:{lives.account}:{resource}"
