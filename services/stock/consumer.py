"""Which event leads to which use case."""

from contracts.names import EventType
from runtime.sqs.inbox import Inbox, reads
from services.stock.handlers import Handlers
from services.stock.inbound import PaymentCancelled, SubscriptionCreated
from services.stock.model import DomainError


def subscription_created(handlers: Handlers) -> Inbox:
    """For the queue stock-subscription-created."""
    reader = reads(
        SubscriptionCreated,
        lambda event, cause: handlers.allocate(event.subscription_id, event.quantity, cause),
    )
    return Inbox({EventType.SUBSCRIPTION_CREATED: reader}, (DomainError,))


def payment_cancelled(handlers: Handlers) -> Inbox:
    """For the queue stock-payment-cancelled."""
    reader = reads(
        PaymentCancelled, lambda event, cause: handlers.deallocate(event.subscription_id, cause)
    )
    return Inbox({EventType.PAYMENT_CANCELLED: reader}, (DomainError,))
