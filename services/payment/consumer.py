"""Which event leads to which use case."""

from contracts.names import EventType
from runtime.sqs.handler import EventHandler, Reader
from services.payment.handlers import Handlers
from services.payment.inbound import SubscriptionCreated
from services.payment.model import DomainError


def subscription_created(handlers: Handlers) -> EventHandler:
    """For the queue payments-subscription-created."""
    reader = Reader(
        SubscriptionCreated,
        lambda event, cause: handlers.create(event.subscription_id, event.account_number, cause),
    )
    return EventHandler({EventType.SUBSCRIPTION_CREATED: reader}, (DomainError,))
