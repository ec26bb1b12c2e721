"""One subscription from its creation to its end, step by step: the same calls every time."""

from typing import Any

from local.journey import DEMO_ORDER as ORDER
from verification.benchmarks.calls.stepped import SteppedProcesses, ask
from verification.benchmarks.calls.tally import CallTally
from verification.testkit.engines import Engines

CREATED, CANCELLED = "created", "cancelled"
"""The phases: up to PaymentCreated on its bus, and from the PATCH to SubscriptionCancelled."""

TRACED = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
"""Of each request: every event and every row of it then has a trace context, and is larger."""


class NotCancelled(Exception):
    """The lifecycle did not come to its end: what was counted is not one."""


def count_lifecycle(engines: Engines) -> CallTally:
    """Count one full lifecycle at batch size 1, on engines where nothing else is going on.

    Each part works only when there is something for it: no timers, no sweeps, no polls
    meanwhile. Raises NotCancelled, or NotInTime.
    """
    tally = CallTally()
    processes = SteppedProcesses(engines, tally)

    tally.phase = CREATED
    subscription: str = ask(processes.subscription_api, "POST", "/subscriptions", ORDER, TRACED)[
        "id"
    ]
    processes.subscriptions_relay.relay()
    processes.stock_consumer.handle_next("stock-subscription-created")
    processes.payment_consumer.handle_next("payments-subscription-created")
    processes.stock_relay.relay()
    processes.payments_change_stream.relay()
    processes.payments_forward.forward()

    tally.phase = CANCELLED
    cancelled = {"status": "cancelled"}
    ask(processes.payment_api, "PATCH", f"/payments/{subscription}", cancelled, TRACED)
    processes.payments_change_stream.relay()
    processes.payments_forward.forward()
    processes.stock_consumer.handle_next("stock-payment-cancelled")
    processes.subscription_consumer.handle_next("subscriptions-payment-cancelled")
    processes.stock_relay.relay()
    processes.subscriptions_relay.relay()

    _check(engines, subscription)
    return tally


def _check(engines: Engines, subscription: str) -> None:
    """Look with clients that are not counted."""
    dynamodb: Any = engines.aws.client("dynamodb")
    key = {"subscriptionId": {"S": subscription}}
    for table, status in (("subscriptions", "cancelled"), ("stock", "deallocated")):
        found = dynamodb.get_item(TableName=table, Key=key)["Item"]["status"]["S"]
        if found != status:
            raise NotCancelled(f"{table}: {found}")
        left = dynamodb.scan(TableName=f"{table}-outbox")["Items"]
        if left:
            raise NotCancelled(f"{table}-outbox: {len(left)} events stayed")
