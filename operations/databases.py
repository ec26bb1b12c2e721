"""An environment with the payments' database: what `status`, `where` and `audit` also read."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from infra.local_system.addresses import DATABASE, audit_file, aws_endpoint, mongodb_uri, port_of
from infra.local_system.environment import REGION, avoid_aws
from infra.local_system.ports import LOOPBACK
from infra.topology import TOPOLOGY, WORKLOADS
from operations.environment import AUDIT_FILE, Environment
from operations.settings import (
    AwsEnvironmentSettings,
    LocalEnvironmentSettings,
    OperationsSettings,
    Where,
)
from runtime.mongodb import Mongo
from runtime.settings import load


@dataclass(frozen=True, kw_only=True)
class DatabaseEnvironment(Environment):
    """Its database is connected to when it is first used."""

    mongodb_uri: str
    mongodb_database: str
    mongodb_credentials: Callable[[], Mapping[str, Any]] = dict

    @classmethod
    def at(cls, where: Where | None) -> Self:
        """Find the system as the environment variables say; raises Misconfigured.

        For a local one every trace of real AWS is taken out of this process's variables first.
        """
        where = where or load(OperationsSettings).streamed_at
        if where == "local":
            avoid_aws(os.environ)
            return cls.of_local(load(LocalEnvironmentSettings))
        return cls.of_aws(load(AwsEnvironmentSettings))

    @classmethod
    def of_local(cls, settings: LocalEnvironmentSettings) -> Self:
        return cls(
            region=REGION,
            endpoint_url=aws_endpoint(settings),
            mongodb_uri=mongodb_uri(settings.mongodb_port),
            mongodb_database=DATABASE,
            hold_seconds=settings.streamed_hold_seconds,
            audit_file=audit_file(settings),
            metrics={
                each.name: f"http://{LOOPBACK}:{port_of(each.name, settings)}/metrics"
                for each in WORKLOADS
            },
        )

    @classmethod
    def of_aws(cls, settings: AwsEnvironmentSettings) -> Self:
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
            has_custom_buses=settings.event_bus_kind == "custom",
            metrics={}
            if template is None
            else {each.name: template.replace("{process}", each.name) for each in WORKLOADS},
        )

    @cached_property
    def mongodb(self) -> Mongo:
        """The payments' database. Nothing is called before it is used; then Unavailable if away."""
        return Mongo.at(self.mongodb_uri, self.mongodb_database, self.mongodb_credentials)
