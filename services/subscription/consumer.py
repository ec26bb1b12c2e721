"""Which event leads to which use case."""

from contracts.names import EventType
from runtime.sqs.handler import EventHandler, Reader
from services.subscription.handlers import Handlers
from services.subscription.inbound import PaymentCancelled, StockRejected
from services.subscription.model import CancelledBy, DomainError, Reason


def payment_cancelled(handlers: Handlers) -> EventHandler:
    """For the queue subscriptions-payment-cancelled."""
    reader = Reader(
        PaymentCancelled,
        lambda event, cause: handlers.cancel(
            event.subscription_id, CancelledBy.BANK, Reason.PAYMENT_CANCELLED, cause
        ),
    )
    return EventHandler({EventType.PAYMENT_CANCELLED: reader.and_version(2)}, (DomainError,))


def stock_rejected(handlers: Handlers) -> EventHandler:
    """For the queue subscriptions-stock-rejected."""
    reader = Reader(
        StockRejected,
        lambda event, cause: handlers.cancel(
            event.subscription_id, CancelledBy.STOCK, Reason.OUT_OF_STOCK, cause
        ),
    )
    return EventHandler({EventType.STOCK_REJECTED: reader}, (DomainError,))
