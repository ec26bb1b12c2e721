"""The whole topology on the engine: made once, found again as it is; what is not ours stays."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.live.taps import ABANDONED_AFTER, ConsoleTap
from infra.local import provision
from infra.topology import TOPOLOGY
from runtime.aws import Aws, CachingAws
from tests.conftest import MiniStack


@pytest.fixture(scope="module")
def provisioned(emulator: MiniStack) -> Aws:
    aws = CachingAws(region="ap-south-1", endpoint_url=emulator.endpoint)
    provision(aws)
    return aws


def test_provisioning_again_changes_nothing(provisioned: Aws) -> None:
    """Whatever form the engine has of what was asked for."""
    assert [str(each) for each in provision(provisioned).changes] == []


def test_provisioning_touches_no_rule_but_its_own(provisioned: Aws) -> None:
    """An archive is filled by a rule of the engine's: without it a replay brings nothing."""
    before = rules_of(provisioned)
    provision(provisioned)
    assert rules_of(provisioned) == before


def test_a_console_touches_no_rule_but_its_own(provisioned: Aws) -> None:
    """It has one on each bus while it runs, and removes those of consoles that are gone."""
    before = rules_of(provisioned)
    ours, gone = (ConsoleTap(provisioned, "stock-event-bus", name) for name in ("here", "gone"))
    url = ours.make(1)
    gone.make(1)
    later = datetime.now(UTC) + timedelta(seconds=2 * ABANDONED_AFTER)
    assert ours.keep(url, later) == [gone.queue.name]
    ours.let_through(16)
    ours.remove()
    assert rules_of(provisioned) == before


def test_an_archive_of_the_topology_takes_what_is_on_its_bus(provisioned: Aws) -> None:
    """After two runs too."""
    provision(provisioned)
    events: Any = provisioned.client("events")
    entry = {
        "EventBusName": "stock-event-bus",
        "Source": "app.stock",
        "DetailType": "StockAllocated",
        "Detail": "{}",
    }
    events.put_events(Entries=[entry])
    assert events.describe_archive(ArchiveName="stock-bus-archive")["EventCount"] == 1


def rules_of(aws: Aws) -> dict[tuple[str, str], Any]:
    """By bus and name, each rule with its targets."""
    events = aws.client("events")
    return {
        (bus.name, rule["Name"]): (
            rule,
            events.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus.name)["Targets"],
        )
        for bus in TOPOLOGY.buses
        for rule in events.list_rules(EventBusName=bus.name)["Rules"]
    }
