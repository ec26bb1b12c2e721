"""The names that travel on the wire. They are fixed: deployed rules and readers match on them."""

from enum import StrEnum


class Source(StrEnum):
    """Who published an event: EventBridge's `source`."""

    SUBSCRIPTIONS = "app.subscriptions"
    STOCK = "app.stock"
    PAYMENTS = "app.payments"


class EventType(StrEnum):
    """What happened: EventBridge's `detail-type`, and `event` in the detail."""

    SUBSCRIPTION_CREATED = "SubscriptionCreated"
    SUBSCRIPTION_CANCELLED = "SubscriptionCancelled"
    SUBSCRIPTION_ERASED = "SubscriptionErased"
    STOCK_ALLOCATED = "StockAllocated"
    STOCK_REJECTED = "StockRejected"
    STOCK_DEALLOCATED = "StockDeallocated"
    PAYMENT_CREATED = "PaymentCreated"
    PAYMENT_CANCELLED = "PaymentCancelled"
