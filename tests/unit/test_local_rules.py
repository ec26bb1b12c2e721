"""Rules of a bus that are not in the topology: ours are removed, AWS's own are left alone."""

from typing import Any
from unittest.mock import MagicMock

from infra.arns import Arns
from infra.local_rules import render_rules
from infra.resources import Bus, Domain
from infra.topology import Topology


def test_a_rule_that_aws_manages_is_left_alone() -> None:
    """An archive's: it would be empty from then on."""
    events: Any = MagicMock()
    events.get_paginator.return_value.paginate.return_value = [
        {"Rules": [{"Name": "old"}, {"Name": "Events-Archive-a", "ManagedBy": "events.internal"}]}
    ]
    events.list_targets_by_rule.return_value = {"Targets": [{"Id": "target"}]}
    topology = Topology((Domain("here", buses=(Bus("b"),)),))

    changes = render_rules(events, topology, MagicMock(spec=Arns))

    assert [str(each) for each in changes] == ["removed rule old"]
    events.delete_rule.assert_called_once_with(Name="old", EventBusName="b")
    events.remove_targets.assert_called_once_with(Rule="old", EventBusName="b", Ids=["target"])
