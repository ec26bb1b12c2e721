"""What clients ask of the APIs, as the routes pass it on to the handlers."""

from contextlib import suppress
from functools import cache
from typing import Any
from uuid import uuid5

from contracts.causes import Cause
from services.subscription.handlers import _KEYS
from services.subscription.model import SubscriptionGone
from tests.builders import BY_CUSTOMER, an_order
from tests.simulation.plans import Cancel, End, Erase, Subscribe


def subscribe(handlers: Any, act: Subscribe) -> None:
    order = an_order(quantity=act.quantity)
    with suppress(SubscriptionGone):  # an answer, too: it was there, and was erased
        handlers.subscribe(order, Cause(f"request-{act.number}"), key=key_of(act.number))


def cancel(handlers: Any, act: Cancel) -> None:
    handlers.cancel(subscription_id(act.number), Cause(f"request-{act.number}-cancel"))


def end(handlers: Any, act: End) -> None:
    handlers.cancel(subscription_id(act.number), *BY_CUSTOMER, Cause(f"request-{act.number}-end"))


def erase(handlers: Any, act: Erase) -> None:
    handlers.erase(subscription_id(act.number), Cause(f"request-{act.number}-erase"))


def key_of(number: int) -> str:
    return f"key-{number}"


@cache
def subscription_id(number: int) -> str:
    """The id that the service gives the subscription of that key."""
    return str(uuid5(_KEYS, key_of(number)))
