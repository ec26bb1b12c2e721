"""One system as an operator reaches it: clients for each domain's account, stores, ports."""

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from infra.local_system.addresses import DATABASE, audit_file, aws_endpoint, mongodb_uri
from infra.local_system.environment import REGION, avoid_aws
from infra.local_system.ports import LOOPBACK
from infra.topology import TOPOLOGY, WORKLOADS, Topology
from infra.workloads import Workload
from operations.errors import NoSuchName
from operations.settings import AwsPlaceSettings, LocalPlaceSettings, OperationsSettings, Where
from operations.sources.hold import HIDDEN_FOR
from runtime.aws import Aws
from runtime.errors import Misconfigured
from runtime.mongodb import Mongo
from runtime.settings import load

AUDIT_FILE = "streamed-operations.jsonl"

READ_TIMEOUT = 10.0
"""Seconds for one call: a person waits, and an emulator with long queues is slow."""


@dataclass(frozen=True)
class Place:
    """Makes clients when they are first asked for: a command needs only what it uses.

    `hold_seconds` is how long dead letters in hand stay hidden after a command was killed.
    `emulated` says that AWS is an emulator, which has no CloudWatch metrics. `profiles` are those
    of the domains with an account of their own; `metrics` has a URL for each process whose
    /metrics can be read.
    """

    region: str
    endpoint_url: str | None
    mongodb_uri: str | None
    mongodb_database: str | None
    audit_file: Path
    hold_seconds: int = HIDDEN_FOR
    mongodb_credentials: Callable[[], Mapping[str, Any]] = dict
    profiles: Mapping[str, str | None] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    topology: Topology = TOPOLOGY
    workloads: tuple[Workload, ...] = WORKLOADS
    _made: dict[str | None, Aws] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def at(cls, where: Where | None) -> Self:
        """Find the system as the environment says; raises Misconfigured.

        For a local one every trace of real AWS is taken out of this process's environment first.
        """
        where = where or load(OperationsSettings).streamed_at
        if where == "local":
            avoid_aws(os.environ)
            return cls.of_local(load(LocalPlaceSettings))
        return cls.of_aws(load(AwsPlaceSettings))

    @classmethod
    def of_local(cls, settings: LocalPlaceSettings) -> Self:
        return cls(
            region=REGION,
            endpoint_url=aws_endpoint(settings),
            mongodb_uri=mongodb_uri(settings.mongodb_port),
            mongodb_database=DATABASE,
            hold_seconds=settings.streamed_hold_seconds,
            audit_file=audit_file(settings),
            metrics={
                workload.name: f"http://{LOOPBACK}:{_port(settings, workload.name)}/metrics"
                for workload in WORKLOADS
            },
        )

    @classmethod
    def of_aws(cls, settings: AwsPlaceSettings) -> Self:
        template = settings.streamed_metrics_url
        return cls(
            region=settings.aws_region,
            endpoint_url=settings.aws_endpoint_url,
            mongodb_uri=settings.mongodb_uri,
            mongodb_database=settings.mongodb_database,
            mongodb_credentials=lambda: settings.mongodb_credentials,
            hold_seconds=settings.streamed_hold_seconds,
            audit_file=settings.streamed_audit_file or Path(AUDIT_FILE),
            profiles={domain.name: settings.profile(domain.name) for domain in TOPOLOGY.domains},
            metrics={}
            if template is None
            else {each.name: template.replace("{process}", each.name) for each in WORKLOADS},
        )

    @property
    def emulated(self) -> bool:
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
            made = KeepsClients(
                region=self.region,
                endpoint_url=self.endpoint_url,
                profile=profile,
                read_timeout=READ_TIMEOUT,
            )
            made.require_credentials()
            self._made[profile] = made
        return self._made[profile]

    @cached_property
    def mongodb(self) -> Mongo:
        """The payments' database. Nothing is called before it is used; then Unavailable if away.

        Raises Misconfigured in a place that was made without one.
        """
        if self.mongodb_uri is None or self.mongodb_database is None:
            raise Misconfigured("this place has no MongoDB: set MONGODB_URI and MONGODB_DATABASE")
        return Mongo.at(self.mongodb_uri, self.mongodb_database, self.mongodb_credentials)


class KeepsClients(Aws):
    """Makes one client for each service: making one costs more than most calls."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()  # a session makes one client at a time; clients are shared

    def client(self, service: Any) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = super().client(service)
            return self._clients[service]


def _port(settings: LocalPlaceSettings, process: str) -> int:
    port: int = getattr(settings, f"{process}_port".replace("-", "_"))
    return port
