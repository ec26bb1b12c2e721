"""Engines of a load run's own, and everything of the topology in them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from infra.local_system.addresses import mongodb_uri
from infra.local_system.environment import REGION
from infra.local_system.ports import LOOPBACK, reserved_ports
from infra.topology import WORKLOADS
from infra.workloads import Workload
from local import engines
from local.child import running_child, wait_until_listening
from local.provision import provision_aws, provision_documentdb
from runtime.aws import Aws

DATABASE = "payments"


@dataclass(frozen=True)
class Engines:
    """Where AWS and DocumentDB are, for processes of ours, and a folder for what they log."""

    endpoint: str
    mongodb_uri: str
    folder: Path
    region: str = REGION
    database: str = DATABASE

    def environment(self, workload: str) -> dict[str, str]:
        """What that process needs, but for its port."""
        aws = {"AWS_REGION": self.region, "AWS_ENDPOINT_URL": self.endpoint}
        mongo = {"MONGODB_URI": self.mongodb_uri, "MONGODB_DATABASE": self.database}
        return {**aws, **mongo, **workload_of(workload).settings}

    @cached_property
    def aws(self) -> Aws:
        """Clients for the run itself, which waits longer than our processes do."""
        return _OneClientEach(region=self.region, endpoint_url=self.endpoint, read_timeout=60)


class _OneClientEach(Aws):
    @cache  # noqa: B019  (it lives as long as the run that made it)
    def client(self, service: Any) -> Any:
        return super().client(service)


def workload_of(name: str) -> Workload:
    return next(each for each in WORKLOADS if each.name == name)


@contextmanager
def running_engines(folder: Path) -> Iterator[Engines]:
    """MiniStack and mongod, provisioned, until the block ends; what they log is in the folder."""
    with reserved_ports(2) as (aws_port, mongodb_port), ExitStack() as running:
        aws = engines.ministack_command(aws_port, folder / "ministack", region=REGION)
        mongod = engines.mongod_command(mongodb_port, folder / "mongod")
        ministack, _ = (
            running.enter_context(
                running_child(name, each.argv, env=each.env, log=folder / f"{name}.log")
            )
            for name, each in (("ministack", aws), ("mongod", mongod))
        )
        wait_until_listening(aws_port, timeout=60, what="MiniStack", child=ministack)
        found = Engines(f"http://{LOOPBACK}:{aws_port}", mongodb_uri(mongodb_port), folder)
        provision_documentdb(found.mongodb_uri, found.database)
        provision_aws(found.endpoint, region=found.region)
        yield found
