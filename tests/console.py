"""Events as the console's taps bring them, and clocks for what counts by the second."""

import json
from datetime import datetime, timedelta
from typing import Any

from console.live.observed_events import ObservedEvent, parse_observed
from contracts.names import EventType
from contracts.timestamps import format_timestamp
from infra.topology import TOPOLOGY
from operations.sources.routes import SOURCES
from runtime.aws import Aws
from tests.builders import START, an_envelope


class Seconds:
    """A clock that a test sets."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def a_body(
    event_type: str = "SubscriptionCreated",
    aggregate_id: str = "a",
    *,
    sequence: int = 1,
    cause: str | None = None,
    at: datetime = START,
    replay: str | None = None,
    **fields: Any,
) -> str:
    """What SQS hands over; the event's id is made of its type and its aggregate."""
    detail = {
        "subscriptionId": aggregate_id,
        "accountNumber": "12345678",
        **fields,
        "metadata": {
            "eventId": event_id(event_type, aggregate_id),
            "version": 1,
            "aggregateId": aggregate_id,
            "sequence": sequence,
            "occurredAt": format_timestamp(at),
            "correlationId": f"request-{aggregate_id}",
            "causationId": cause,
        },
    }
    source = SOURCES[EventType(event_type)]
    envelope = an_envelope(detail, detail_type=event_type, source=source, at=at)
    return json.dumps(envelope | ({"replay-name": replay} if replay else {}))


def put(aws: Aws, bus: str, *bodies: str) -> None:
    """Publish events as the relays do: such as these bodies have."""
    entries: Any = [
        {
            "EventBusName": bus,
            "Source": envelope["source"],
            "DetailType": envelope["detail-type"],
            "Detail": json.dumps(envelope["detail"]),
        }
        for envelope in map(json.loads, bodies)
    ]
    assert aws.client("events").put_events(Entries=entries)["FailedEntryCount"] == 0


def event_id(event_type: str, aggregate_id: str = "a") -> str:
    return f"{event_type}-of-{aggregate_id}"


def an_observed_event(
    event_type: str = "SubscriptionCreated",
    aggregate_id: str = "a",
    *,
    bus: str = "subscriptions-event-bus",
    after: float = 0.1,
    **event: Any,
) -> ObservedEvent:
    """An event on a bus, that many seconds after it happened."""
    at = event.setdefault("at", START)
    body = a_body(event_type, aggregate_id, **event)
    domain = TOPOLOGY.domain_of_bus(bus)
    return parse_observed(body, at=at + timedelta(seconds=after), bus=bus, domain=domain)
