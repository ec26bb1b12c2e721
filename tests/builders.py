"""Sample orders, causes, clocks, and events as a queue hands them over."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from contracts.causes import Cause
from contracts.outbox import OutboxRecord
from contracts.timestamps import format_timestamp
from services.subscription.model import CancelledBy, Order, Reason

ACCOUNT = "000000000000"
START = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SUBSCRIPTION_ID = "5f0c7c1e-7a64-5d0b-9d5e-0a4c6a3f8b11"
BY_BANK = (CancelledBy.BANK, Reason.PAYMENT_CANCELLED)
BY_CUSTOMER = (CancelledBy.CUSTOMER, Reason.TOO_EXPENSIVE)
"""Who cancels, and why."""

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def clock(start: datetime = START) -> Callable[[], datetime]:
    """A clock that is a second further each time it is read: no two decisions share a time."""
    seconds = count()
    return lambda: start + timedelta(seconds=next(seconds))


def an_order(**changes: Any) -> Order:
    values: dict[str, Any] = {
        "account_number": "12345678",
        "account_name": "A Lovelace",
        "account_sort_code": "12-34-56",
        "customer_first_name": "Ada",
        "customer_surname": "Lovelace",
        "quantity": 2,
    }
    return Order(**values | changes)


def a_cause(correlation_id: str = "request-1") -> Cause:
    """The cause of what an HTTP request leads to."""
    return Cause(correlation_id=correlation_id, traceparent=TRACEPARENT)


def a_record(**changes: Any) -> OutboxRecord:
    values: dict[str, Any] = {
        "aggregate_id": SUBSCRIPTION_ID,
        "sequence": 1,
        "event_id": "019ab0c0-0000-7000-8000-000000000001",
        "event_type": "SubscriptionCreated",
        "source": "app.subscriptions",
        "occurred_at": START,
        "detail": '{"subscriptionId":"5f0c7c1e-7a64-5d0b-9d5e-0a4c6a3f8b11"}',
        "correlation_id": "request-1",
        "traceparent": TRACEPARENT,
    }
    return OutboxRecord(**values | changes)


def an_envelope(
    detail: dict[str, Any], *, detail_type: str, source: str, at: datetime = START
) -> dict[str, Any]:
    """An event as EventBridge delivers it, with an `id` of EventBridge's own making.

    Its `time` is in whole seconds, as EventBridge writes it.
    """
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": "eu-west-1",
        "resources": [],
        "detail": detail,
    }


def a_detail(**changes: Any) -> dict[str, Any]:
    """A detail with our metadata, enough for every reader of SubscriptionCreated."""
    detail = {
        "subscriptionId": SUBSCRIPTION_ID,
        "accountNumber": "12345678",
        "quantity": 2,
        "metadata": a_metadata(),
    }
    return detail | changes


def a_metadata(**changes: Any) -> dict[str, Any]:
    """The metadata of an event for `a_cause`."""
    metadata = {
        "eventId": "019ab0c0-0000-7000-8000-000000000001",
        "version": 1,
        "aggregateId": SUBSCRIPTION_ID,
        "sequence": 1,
        "occurredAt": format_timestamp(START),
        "correlationId": "request-1",
        "causationId": None,
        "traceparent": TRACEPARENT,
    }
    return metadata | changes


def a_body(detail_type: str = "SubscriptionCreated", **changes: Any) -> str:
    """A queue's message with such an event."""
    return json.dumps(an_envelope(a_detail(**changes), detail_type=detail_type, source="app.test"))


def delivered(record: OutboxRecord) -> str:
    """The queue message that a published record becomes; each call is another publication."""
    return json.dumps(
        an_envelope(
            json.loads(record.detail),
            detail_type=record.event_type,
            source=record.source,
            at=record.occurred_at,
        )
    )
