"""What the console may break, where, and with which poison."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from console.faults.orders import router, why_not
from console.faults.poison import PoisonKind, poison, poison_queues
from contracts.envelope import NotAnEvent
from contracts.names import EventType
from infra.topology import TOPOLOGY
from operations.environment import Environment
from runtime.sqs.handler import EventHandler, SchemaViolation, UnexpectedEvent
from services.payment import consumer as payment
from services.stock import consumer as stock
from services.subscription import consumer as subscription
from tests.console_client import asking
from tests.fakes import opened

LOCAL = Environment(
    region="eu-west-1",
    endpoint_url="http://127.0.0.1:1",
    audit_file=Path("unused"),
)
CONTAINERS = replace(LOCAL, endpoint_url="http://ministack:4566")
AWS = replace(LOCAL, endpoint_url=None)
VPC_ENDPOINT = replace(LOCAL, endpoint_url="https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com")

QUEUES = poison_queues(TOPOLOGY)

EVENT_HANDLERS = {
    "stock-subscription-created": stock.subscription_created,
    "stock-payment-cancelled": stock.payment_cancelled,
    "payments-subscription-created": partial(payment.subscription_created, open_sealed=opened),
    "payments-subscription-cancelled": payment.subscription_cancelled,
    "payments-subscription-erased": payment.subscription_erased,
    "subscriptions-payment-cancelled": subscription.payment_cancelled,
    "subscriptions-stock-rejected": subscription.stock_rejected,
}
"""What each queue's consumer does with a body."""


@pytest.mark.parametrize(
    ("environment", "socket", "why"),
    [
        (LOCAL, None, "make up BREAK=1"),
        (CONTAINERS, "/socket", "only be broken on a laptop's own system"),
        (AWS, "/socket", "This is AWS"),
        (VPC_ENDPOINT, "/socket", "only be broken on a laptop's own system"),
    ],
    ids=["off", "containers", "aws", "aws by an endpoint"],
)
def test_nothing_is_broken_where_that_was_not_asked_for(
    environment: Environment, socket: str | None, why: str
) -> None:
    """Each route refuses with the reason, before it calls anybody."""
    with asking(router(environment, socket)) as client:
        answers = [
            client.get("/api/breaking"),
            client.post("/api/breaking/processes/stock-relay", json={"run": False}),
            client.post("/api/breaking/bus", json={"refuse": True}),
            client.post(
                "/api/breaking/poison", json={"queue": next(iter(QUEUES)), "kind": "not JSON"}
            ),
        ]
    for answer in answers:
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"
        assert why in answer.json()["detail"]


def test_it_is_on_where_make_up_listens() -> None:
    """On this machine, with a socket."""
    assert why_not(LOCAL, "/socket") is None


def test_a_socket_that_nobody_listens_on_is_an_outage(tmp_path: Path) -> None:
    """`make up` has ended, and the console not yet."""
    with asking(router(LOCAL, str(tmp_path / "socket"))) as client:
        answer = client.get("/api/breaking")
    assert answer.status_code == 503
    assert "make up is unavailable" in answer.json()["detail"]


def test_poison_is_for_the_queues_of_consumers() -> None:
    """A relay's queue has rows in it, and dead-letter queues have nobody."""
    assert QUEUES.keys() == EVENT_HANDLERS.keys()


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("not JSON", NotAnEvent),
        ("wrong version", UnexpectedEvent),
        ("missing field", SchemaViolation),
    ],
)
def test_no_consumer_handles_poison(queue: str, kind: PoisonKind, error: type[Exception]) -> None:
    """Each kind is refused for its own reason, and for good: no retry is wasted on it."""
    body, what = poison(queue, QUEUES[queue], kind)
    handler: EventHandler = EVENT_HANDLERS[queue](None)  # type: ignore[operator]
    with pytest.raises(error) as raised:
        handler.handle(body)
    assert handler.is_permanent(raised.value)
    assert what


def test_poison_that_misses_a_field_is_an_event_otherwise() -> None:
    """The map shows it, and who follows it finds it: it has our metadata."""
    queue = "stock-subscription-created"
    body, what = poison(queue, QUEUES[queue], "missing field")
    document = json.loads(body)
    assert what == "a SubscriptionCreated without its quantity"
    assert document["detail-type"] == EventType.SUBSCRIPTION_CREATED
    assert "quantity" not in document["detail"]
    assert document["detail"]["metadata"]["aggregateId"] == document["detail"]["subscriptionId"]
