"""Which event leads to which use case."""

from contracts.names import EventType
from runtime.sqs.inbox import Inbox, reads
from services.subscription.handlers import Handlers
from services.subscription.inbound import PaymentCancelled
from services.subscription.model import DomainError


def payment_cancelled(handlers: Handlers) -> Inbox:
    """For the queue subscriptions-payment-cancelled."""
    reader = reads(
        PaymentCancelled, lambda event, cause: handlers.cancel(event.subscription_id, cause)
    )
    return Inbox({EventType.PAYMENT_CANCELLED: reader}, (DomainError,))
