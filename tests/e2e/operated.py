"""The running system as an operator has it: a place, commands and what they print, rules to cut."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.local_system.addresses import DATABASE, aws_endpoint
from infra.local_system.environment import REGION
from operations.audit.command import audit
from operations.audit.report import AuditReport
from operations.databases import DatabaseEnvironment
from tests.e2e.world import World
from tests.integration.operated import ask

PATIENCE = 1.0
"""Seconds for an event between two places of one machine."""


@dataclass(frozen=True)
class Operator:
    """Looks after a world that others use as well: an audit of its own begins at `since`."""

    world: World
    folder: Path
    since: datetime

    @cached_property
    def environment(self) -> DatabaseEnvironment:
        return DatabaseEnvironment(
            region=REGION,
            endpoint_url=aws_endpoint(self.world.settings),
            # Direct: a replica set may name its member as only its neighbours know it.
            mongodb_uri=(
                f"mongodb://127.0.0.1:{self.world.settings.mongodb_port}/?directConnection=true"
            ),
            mongodb_database=DATABASE,
            audit_file=self.folder / "operations.jsonl",
        )

    def run(self, *argv: str) -> tuple[int, dict[str, Any]]:
        """Run a command with --json; returns its exit code and its document."""
        return ask(self.environment, *argv)

    def audit(self, *, settle: float = 90.0) -> AuditReport:
        return audit(
            self.environment, self.since, datetime.now(UTC), settle=settle, patience=PATIENCE
        )

    def differences(self, subscription_id: str) -> set[tuple[str, str, str]]:
        """What lacks of one subscription, once nothing is on its way: kind, event and place."""
        return {
            (each.kind, each.event_type, each.place)
            for each in self.audit().differences
            if each.aggregate_id == subscription_id
        }

    @contextmanager
    def cut(self, rule: str, *, bus: str) -> Iterator[None]:
        """Have a bus deliver nothing to a rule's target."""
        events = self.environment.aws("stock").client("events")
        events.disable_rule(Name=rule, EventBusName=bus)
        try:
            yield
        finally:
            events.enable_rule(Name=rule, EventBusName=bus)

    def on_bus(self, bus: str, subscription_id: str, event_type: str) -> Callable[[], Any]:
        """Whether a bus's log has an event, as a condition to wait for."""
        return lambda: self.world.events_of(bus, subscription_id, event_type)
