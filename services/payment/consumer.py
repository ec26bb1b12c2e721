"""Which event leads to which use case."""

from contracts.names import EventType
from runtime.sqs.handler import EventHandler, Reader
from services.payment.handlers import Handlers
from services.payment.inbound import SubscriptionCancelled, SubscriptionCreated, SubscriptionErased
from services.payment.model import DomainError


def subscription_created(handlers: Handlers) -> EventHandler:
    """For the queue payments-subscription-created."""
    reader = Reader(
        SubscriptionCreated,
        lambda event, cause: handlers.create(event.subscription_id, event.account_number, cause),
    )
    return EventHandler({EventType.SUBSCRIPTION_CREATED: reader}, (DomainError,))


def subscription_cancelled(handlers: Handlers) -> EventHandler:
    """For the queue payments-subscription-cancelled."""
    reader = Reader(
        SubscriptionCancelled,
        lambda event, cause: handlers.cancel_with_subscription(event.subscription_id, cause),
    )
    return EventHandler({EventType.SUBSCRIPTION_CANCELLED: reader}, (DomainError,))


def subscription_erased(handlers: Handlers) -> EventHandler:
    """For the queue payments-subscription-erased."""
    reader = Reader(
        SubscriptionErased, lambda event, cause: handlers.erase(event.subscription_id, cause)
    )
    return EventHandler({EventType.SUBSCRIPTION_ERASED: reader}, (DomainError,))
