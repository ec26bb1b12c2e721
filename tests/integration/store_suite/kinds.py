"""The three kinds of aggregate, as the store suite needs them: made, changed, recorded, listed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from contracts.outbox import OutboxRecord
from services.payment import events as payment_events
from services.payment import handlers as payment_handlers
from services.payment.model import Payment
from services.payment.model import Status as PaymentStatus
from services.stock import events as stock_events
from services.stock import handlers as stock_handlers
from services.stock.model import Status as StockStatus
from services.stock.model import Stock
from services.subscription import events as subscription_events
from services.subscription import handlers as subscription_handlers
from services.subscription.model import Subscription
from tests.builders import BY_BANK, START, a_cause, an_order

LATER = START + timedelta(hours=1)


@dataclass(frozen=True)
class Kind:
    """`groups` are two values of what its list can be filtered by.

    `make` takes an id, a group and how many seconds after START it was created; `create` and
    `cancel` are the service's own use cases on a store, `create` for what `make` makes.
    """

    groups: tuple[str, str]
    make: Callable[[str, str, int], Any]
    change: Callable[[Any], Any]
    record: Callable[[Any], OutboxRecord]
    create: Callable[[Any], str]
    cancel: Callable[[Any, str], Any]


def _subscription(identity: str, group: str, seconds: int) -> Subscription:
    return Subscription.create(
        identity,
        an_order(account_number=group, customer_surname="O'Łukasz-Müller 😀"),
        request_digest="digest",
        now=START + timedelta(seconds=seconds),
    )


def _stock(identity: str, group: str, seconds: int) -> Stock:
    stock = Stock.allocate(identity, 2, now=START + timedelta(seconds=seconds))
    return replace(stock, status=StockStatus(group))


def _payment(identity: str, group: str, seconds: int) -> Payment:
    payment = Payment.create(identity, "12345678", now=START + timedelta(seconds=seconds))
    return replace(payment, status=PaymentStatus(group))


SUBSCRIPTION = Kind(
    groups=("12345678", "87654321"),
    make=_subscription,
    change=lambda row: row.cancel(*BY_BANK, now=LATER),
    record=lambda row: subscription_events.record_of(row, a_cause(), event_id=f"e-{row.version}"),
    create=lambda store: (
        subscription_handlers.Handlers(store)
        .subscribe(an_order(), a_cause(), key="one")
        .subscription_id
    ),
    cancel=lambda store, identity: subscription_handlers.Handlers(store).cancel(
        identity, *BY_BANK, a_cause()
    ),
)

STOCK = Kind(
    groups=("allocated", "deallocated"),
    make=_stock,
    change=lambda row: row.deallocate(now=LATER),
    record=lambda row: stock_events.record_of(row, a_cause(), event_id=f"e-{row.version}"),
    create=lambda store: (
        stock_handlers.Handlers(store).allocate("one", 2, a_cause()).subscription_id
    ),
    cancel=lambda store, identity: stock_handlers.Handlers(store).deallocate(identity, a_cause()),
)

PAYMENT = Kind(
    groups=("active", "cancelled"),
    make=_payment,
    change=lambda row: row.cancel(now=LATER),
    record=lambda row: payment_events.record_of(row, a_cause(), event_id=f"e-{row.version}"),
    create=lambda store: (
        payment_handlers.Handlers(store).create("one", "12345678", a_cause()).subscription_id
    ),
    cancel=lambda store, identity: payment_handlers.Handlers(store).cancel(identity, a_cause()),
)
