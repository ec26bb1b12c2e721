"""Which event leads to which use case."""

from collections.abc import Callable

from contracts.names import EventType
from runtime.errors import CannotOpen
from runtime.sqs.handler import EventHandler, Reader
from services.payment.handlers import Handlers
from services.payment.inbound import (
    SubscriptionCancelled,
    SubscriptionCreated,
    SubscriptionCreatedV2,
    SubscriptionErased,
    bank_details_of,
)
from services.payment.model import DomainError


def subscription_created(handlers: Handlers, open_sealed: Callable[[str], str]) -> EventHandler:
    """For the queue payments-subscription-created.

    `open_sealed` opens a sealed text, or raises CannotOpen or Unavailable.
    """
    in_clear = Reader(
        SubscriptionCreated,
        lambda event, cause: handlers.create(event.subscription_id, event.account_number, cause),
    )
    sealed = Reader(
        SubscriptionCreatedV2,
        lambda event, cause: handlers.create(
            event.subscription_id, bank_details_of(event, open_sealed).account_number, cause
        ),
        version=2,
    )
    return EventHandler(
        {EventType.SUBSCRIPTION_CREATED: (in_clear, sealed)}, (DomainError, CannotOpen)
    )


def subscription_cancelled(handlers: Handlers) -> EventHandler:
    """For the queue payments-subscription-cancelled."""
    reader = Reader(
        SubscriptionCancelled,
        lambda event, cause: handlers.cancel_with_subscription(event.subscription_id, cause),
    )
    return EventHandler({EventType.SUBSCRIPTION_CANCELLED: reader.and_version(2)}, (DomainError,))


def subscription_erased(handlers: Handlers) -> EventHandler:
    """For the queue payments-subscription-erased."""
    reader = Reader(
        SubscriptionErased, lambda event, cause: handlers.erase(event.subscription_id, cause)
    )
    return EventHandler({EventType.SUBSCRIPTION_ERASED: reader}, (DomainError,))
