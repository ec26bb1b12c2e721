"""What clients ask of the APIs, as the routes pass it on to the handlers."""

from functools import cache
from typing import Any
from uuid import uuid5

from contracts.causes import Cause
from services.subscription.handlers import _KEYS
from tests.builders import an_order
from tests.simulation.plans import Cancel, Subscribe


def subscribe(handlers: Any, act: Subscribe) -> None:
    order = an_order(quantity=act.quantity)
    handlers.subscribe(order, Cause(f"request-{act.number}"), key=key_of(act.number))


def cancel(handlers: Any, act: Cancel) -> None:
    handlers.cancel(subscription_id(act.number), Cause(f"request-{act.number}-cancel"))


def key_of(number: int) -> str:
    return f"key-{number}"


@cache
def subscription_id(number: int) -> str:
    """The id that the service gives the subscription of that key."""
    return str(uuid5(_KEYS, key_of(number)))
