"""A Custom Event Bus (`eventbridgev2`): whether it is there, and what one PutEvents carries.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-custom-bus.html. None of this was run
against AWS: docs/decisions/0023-custom-event-bus.md says what is known of it.
"""

import socket
from collections.abc import Iterator
from typing import Any, Protocol

from botocore.exceptions import ClientError, EndpointConnectionError

from runtime.aws import asking, error_code
from runtime.batches import Limits
from runtime.errors import Misconfigured, Unavailable
from runtime.rpc_v2_cbor import NotTheApi

CUSTOM_BUS_LIMITS = Limits(entries=100, total_bytes=1024 * 1024 - 1)
"""100 entries a request, says the page of quotas. No page says how many bytes: Classic's MiB."""

CUSTOM_BUS_ARN = (
    r"^arn:aws(-[a-z0-9]+)*:events:[a-z][a-z0-9]*(-[a-z0-9]+)*:[0-9]{12}"
    r":event-busv2/[A-Za-z0-9][._A-Za-z0-9-]{0,255}/[a-z0-9]{25}$"
)
"""The service model's, which has it as EventBusArn: AWS makes the last part."""

TAKES_EVENTS = {"ACTIVE", "UPDATING", "UPDATE_FAILED"}
"""Of a bus's states, as "Creating a bus" in the user guide says."""


class CustomEventBusClient(Protocol):
    """What is called of boto3's client; its stubs are not among our dependencies."""

    def put_events(self, *, EventBusArn: str, Entries: Any) -> Any: ...  # noqa: N803 (boto3's)

    def describe_event_bus(self, *, EventBusArn: str) -> Any: ...  # noqa: N803


def bus_name(arn: str) -> str:
    """The bus's name in its ARN."""
    return arn.split("/")[1]


def find_custom_bus(events: Any, name: str) -> str:
    """Find the ARN of a bus of this account; raises Misconfigured, or Unavailable."""
    with asking("EventBridge", "ListEventBuses"):
        try:
            found = events.list_event_buses(NamePrefix=name)["EventBuses"]
        except (ClientError, EndpointConnectionError, NotTheApi) as error:
            if reason := _reason(error, name, events.meta.region_name):
                raise Misconfigured(reason) from error
            raise
    for bus in found:
        if bus["Name"] == name:
            return str(bus["EventBusArn"])
    raise Misconfigured(f"the Custom Event Bus {name} does not exist: provision it first")


def require_custom_bus(events: CustomEventBusClient, arn: str) -> None:
    """Raise Misconfigured where the bus, the region or the engine is not there, or Unavailable."""
    with asking("EventBridge", "DescribeEventBus"):
        try:
            bus = events.describe_event_bus(EventBusArn=arn)
        except (ClientError, EndpointConnectionError, NotTheApi) as error:
            if reason := _reason(error, arn, arn.split(":")[3]):
                raise Misconfigured(reason) from error
            raise
    state = bus.get("State", "ACTIVE")
    if state == "CREATING":
        raise Unavailable("EventBridge", f"{arn} is being created")
    if state not in TAKES_EVENTS:
        why = bus.get("StateReason", "AWS gives no reason")
        raise Misconfigured(f"the Custom Event Bus {arn} is {state} ({why}): make it again")


def _reason(error: Exception, bus: str, region: str) -> str | None:
    """What to say of an error that waiting does not end; None for any other."""
    lacks = "set EVENT_BUS_KIND to classic, or use a region that has it"
    match error:
        case NotTheApi(is_for_good=True, status=status):
            return f"what answers as AWS has no Custom Event Bus (HTTP {status}): {lacks}"
        case EndpointConnectionError() if _has_no_address(error):
            return f"the region {region} has no Custom Event Bus, its endpoint no address: {lacks}"
        case ClientError():
            code = error_code(error)
            if code == "ResourceNotFoundException":
                return f"the Custom Event Bus {bus} does not exist: provision it first"
            if code in {"InvalidInputException", "UnknownOperationException"}:
                return f"no Custom Event Bus can be asked for by {bus} ({code}): {lacks}"
    return None


def _has_no_address(error: EndpointConnectionError) -> bool:
    """Whether DNS says that there is no such host. That it cannot answer now is an outage."""
    return any(
        isinstance(each, socket.gaierror) and each.errno in {socket.EAI_NONAME, socket.EAI_NODATA}
        for each in _causes(error)
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__
