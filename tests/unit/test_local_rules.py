"""Rules of a bus that are not in the topology: ours are removed, all others are left alone."""

from typing import Any
from unittest.mock import MagicMock

import pytest

from infra.arns import Arns
from infra.local_rules import render_rules
from infra.resources import Bus, Domain
from infra.topology import Topology

TOPOLOGY = Topology((Domain("here", buses=(Bus("b"),)),))


def a_bus_with(targets: dict[str, list[str]], **managed_by: str) -> Any:
    """EventBridge with rules, by name the ids of their targets."""
    events: Any = MagicMock()
    rules = [{"Name": name, "ManagedBy": managed_by.get(name, "")} for name in targets]
    events.get_paginator.return_value.paginate.return_value = [{"Rules": rules}]
    events.list_targets_by_rule.side_effect = lambda Rule, EventBusName: {  # noqa: N803
        "Targets": [{"Id": each} for each in targets[Rule]]
    }
    return events


def test_a_rule_of_ours_that_the_topology_has_no_more_is_removed() -> None:
    """With its target before it."""
    events = a_bus_with({"old": ["target"]})

    changes = render_rules(events, TOPOLOGY, MagicMock(spec=Arns))

    assert [str(each) for each in changes] == ["removed rule old"]
    events.remove_targets.assert_called_once_with(Rule="old", EventBusName="b", Ids=["target"])
    events.delete_rule.assert_called_once_with(Name="old", EventBusName="b")


@pytest.mark.parametrize(
    ("targets", "managed_by"),
    [
        (["target"], "prod.vhs.events.aws.internal"),  # as AWS has an archive's
        (["Events-Archive-a"], ""),  # as LocalStack has it
        (["somebody-else"], ""),
        (["target", "somebody-else"], ""),
        ([], ""),  # it delivers nothing
    ],
)
def test_a_rule_that_is_managed_or_not_ours_is_left_alone(
    targets: list[str], managed_by: str
) -> None:
    """An archive without its rule would be empty from then on."""
    events = a_bus_with({"Events-Archive-a": targets}, **{"Events-Archive-a": managed_by})

    assert render_rules(events, TOPOLOGY, MagicMock(spec=Arns)) == []

    for change in (events.remove_targets, events.delete_rule, events.put_rule, events.put_targets):
        change.assert_not_called()
