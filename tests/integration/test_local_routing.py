"""Events on the rendered buses: each reaches the queues that it is for, and no other."""

import pytest

from infra.local import provision
from infra.taps import taps_of, with_taps
from infra.topology import TOPOLOGY
from runtime.aws import Aws
from tests.conftest import MiniStack
from tests.integration.emulated import attributes_of, empty_aws, url_of

STOCK_BUS = "stock-event-bus"
TAPS = {tap.bus: tap.queue for tap in taps_of(TOPOLOGY)}
QUEUES = [queue.name for queue in with_taps(TOPOLOGY).queues]


@pytest.fixture(scope="module")
def rendered(ministack: MiniStack) -> Aws:
    aws = empty_aws(ministack)
    provision(aws)
    return aws


@pytest.fixture
def drained(rendered: Aws) -> Aws:
    for queue in QUEUES:
        rendered.client("sqs").purge_queue(QueueUrl=url_of(rendered, queue))
    return rendered


@pytest.mark.parametrize(
    ("event", "queues", "buses"),
    [
        (
            ("subscriptions-event-bus", "app.subscriptions", "SubscriptionCreated"),
            {"stock-subscription-created", "payments-subscription-created"},
            set(TAPS),
        ),
        (
            ("payments-event-bus", "app.payments", "PaymentCancelled"),
            {"stock-payment-cancelled", "subscriptions-payment-cancelled"},
            set(TAPS),
        ),
        (
            ("subscriptions-event-bus", "app.subscriptions", "SubscriptionCancelled"),
            set(),
            {"subscriptions-event-bus"},
        ),
        ((STOCK_BUS, "app.stock", "StockAllocated"), set(), {STOCK_BUS}),
        ((STOCK_BUS, "app.stock", "StockDeallocated"), set(), {STOCK_BUS}),
        (
            ("payments-event-bus", "app.payments", "PaymentCreated"),
            set(),
            {"payments-event-bus"},
        ),
        # of the right type, but not from the domain that may say so
        (
            ("subscriptions-event-bus", "app.other", "SubscriptionCreated"),
            set(),
            {"subscriptions-event-bus"},
        ),
    ],
)
def test_an_event_reaches_its_queues_and_no_other(
    drained: Aws, event: tuple[str, str, str], queues: set[str], buses: set[str]
) -> None:
    """An event put once on its own bus is once in each queue it is for and in its buses' taps."""
    put(drained, *event)
    expected = queues | {TAPS[each] for each in buses}
    assert counts(drained) == dict.fromkeys(expected, 1)


def put(aws: Aws, bus: str, source: str, detail_type: str) -> None:
    answer = aws.client("events").put_events(
        Entries=[{"EventBusName": bus, "Source": source, "DetailType": detail_type, "Detail": "{}"}]
    )
    assert answer["FailedEntryCount"] == 0


def counts(aws: Aws) -> dict[str, int]:
    """How many messages each queue holds, without the empty ones; the emulator delivers at once."""
    found = {
        queue: int(attributes_of(aws, queue)["ApproximateNumberOfMessages"]) for queue in QUEUES
    }
    return {name: count for name, count in found.items() if count}
