"""Which event leads to which use case."""

from contracts.names import EventType
from runtime.sqs.handler import EventHandler, Reader
from services.stock.handlers import Handlers
from services.stock.inbound import PaymentCancelled, SubscriptionCreated
from services.stock.model import DomainError


def subscription_created(handlers: Handlers) -> EventHandler:
    """For the queue stock-subscription-created."""
    reader = Reader(
        SubscriptionCreated,
        lambda event, cause: handlers.allocate(event.subscription_id, event.quantity, cause),
    )
    return EventHandler({EventType.SUBSCRIPTION_CREATED: reader.and_version(2)}, (DomainError,))


def payment_cancelled(handlers: Handlers) -> EventHandler:
    """For the queue stock-payment-cancelled."""
    reader = Reader(
        PaymentCancelled, lambda event, cause: handlers.deallocate(event.subscription_id, cause)
    )
    return EventHandler({EventType.PAYMENT_CANCELLED: reader.and_version(2)}, (DomainError,))
