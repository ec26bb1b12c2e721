"""Which event leads to which use case."""

from contracts.names import EventType
from runtime.sqs.inbox import Inbox, reads
from services.payment.handlers import Handlers
from services.payment.inbound import SubscriptionCreated
from services.payment.model import DomainError


def subscription_created(handlers: Handlers) -> Inbox:
    """For the queue payments-subscription-created."""
    reader = reads(
        SubscriptionCreated,
        lambda event, cause: handlers.create(event.subscription_id, event.account_number, cause),
    )
    return Inbox({EventType.SUBSCRIPTION_CREATED: reader}, (DomainError,))
