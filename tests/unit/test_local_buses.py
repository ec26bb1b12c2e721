"""Who may put events on a bus: as it was asked for, in whichever form an emulator answers."""

import json
from typing import Any
from unittest.mock import MagicMock

import pytest

from infra.arns import Arns
from infra.local_buses import render_buses
from infra.topology import TOPOLOGY
from tests.builders import ACCOUNT

ARNS = Arns.in_one_account(TOPOLOGY, ACCOUNT, "eu-west-1")


def principals(form: str, *, account: str = ACCOUNT) -> Any:
    """EventBridge with every bus of the topology, and on each the statements that it is to have."""
    asked: Any = MagicMock()
    asked.list_event_buses.return_value = {"EventBuses": [{"Name": b.name} for b in TOPOLOGY.buses]}
    render_buses(asked, TOPOLOGY, ARNS)
    principal = {"ARN": {"AWS": f"arn:aws:iam::{account}:root"}, "number": account}[form]
    policies: dict[str, list[Any]] = {}
    for call in asked.put_permission.call_args_list:
        statement = {"Sid": call.kwargs["StatementId"], "Principal": principal}
        policies.setdefault(call.kwargs["EventBusName"], []).append(statement)
    events: Any = MagicMock()
    events.list_event_buses.return_value = {
        "EventBuses": [
            {"Name": name, "Policy": json.dumps({"Statement": statements})}
            for name, statements in policies.items()
        ]
    }
    return events


@pytest.mark.parametrize("form", ["ARN", "number"])
def test_a_policy_that_is_there_is_left_as_it_is(form: str) -> None:
    """AWS and LocalStack name an account by its root's ARN, MiniStack as it was given."""
    events = principals(form)
    assert render_buses(events, TOPOLOGY, ARNS) == []
    events.put_permission.assert_not_called()


@pytest.mark.parametrize("form", ["ARN", "number"])
def test_another_account_is_put_right(form: str) -> None:
    """Each statement of each bus."""
    events = principals(form, account="999988887777")
    assert len(render_buses(events, TOPOLOGY, ARNS)) == len(TOPOLOGY.buses)
    assert {call.kwargs["Principal"] for call in events.put_permission.call_args_list} == {ACCOUNT}
