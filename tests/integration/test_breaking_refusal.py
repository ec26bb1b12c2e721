"""The refusal between the relays and their buses, as a relay's client meets it."""

import io
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from infra.local_system.fault_protocol import Refuse
from local.console import Console
from local.supervisor import Supervisor
from runtime.aws import Aws, family_of
from runtime.eventbridge import require_bus
from runtime.verdicts import HELD
from tests.conftest import MiniStack
from verification.fault_injection.server import FaultCommands
from verification.testkit.fault_proxy import FaultProxy


def an_entry(bus: str) -> Any:
    return {"EventBusName": bus, "Source": "s", "DetailType": "t", "Detail": "{}"}


@pytest.fixture
def proxy(ministack: MiniStack) -> Iterator[FaultProxy]:
    with FaultProxy(ministack.endpoint).running() as proxy:
        yield proxy


@pytest.fixture
def breaking(proxy: FaultProxy) -> FaultCommands:
    return FaultCommands(Supervisor([], console=Console()), proxy, [], Console(io.StringIO()))


@pytest.fixture
def relays(ministack: MiniStack, proxy: FaultProxy) -> Aws:
    """AWS as the processes reach it that publish."""
    return Aws(region=ministack.region, endpoint_url=proxy.endpoint, attempts=1)


@pytest.fixture
def bus(ministack: MiniStack) -> Iterator[str]:
    events = Aws(region=ministack.region, endpoint_url=ministack.endpoint).client("events")
    name = f"refusing-{uuid4().hex[:8]}"
    events.create_event_bus(Name=name)
    yield name
    events.delete_event_bus(Name=name)


def test_while_it_is_on_no_event_is_taken_and_it_is_an_outage(
    breaking: FaultCommands, relays: Aws, bus: str
) -> None:
    """A relay waits through an outage: nothing is poison, nothing is dead-lettered."""
    events = relays.client("events")
    breaking.do(Refuse(refuse=True))
    with pytest.raises(ClientError) as raised:
        events.put_events(Entries=[an_entry(bus)])
    assert family_of(raised.value) in HELD

    breaking.do(Refuse(refuse=False))
    answer = events.put_events(Entries=[an_entry(bus)])
    assert answer["FailedEntryCount"] == 0


def test_whatever_else_a_relay_asks_goes_through(
    breaking: FaultCommands, relays: Aws, bus: str
) -> None:
    """It finds its bus, so that it can be started meanwhile, and reads its queues."""
    breaking.do(Refuse(refuse=True))
    require_bus(relays.client("events"), bus)
    relays.client("sqs").list_queues()
