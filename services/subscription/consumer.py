"""Which event leads to which use case."""

from contracts.names import EventType
from runtime.sqs.handler import EventHandler, Reader
from services.subscription.handlers import Handlers
from services.subscription.inbound import PaymentCancelled
from services.subscription.model import DomainError


def payment_cancelled(handlers: Handlers) -> EventHandler:
    """For the queue subscriptions-payment-cancelled."""
    reader = Reader(
        PaymentCancelled, lambda event, cause: handlers.cancel(event.subscription_id, cause)
    )
    return EventHandler({EventType.PAYMENT_CANCELLED: reader}, (DomainError,))
