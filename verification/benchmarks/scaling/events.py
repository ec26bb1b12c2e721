"""One subscription on its way, and the moments that are measured."""

from dataclasses import dataclass, field

import simpy

from contracts.names import EventType

ALLOCATED = "request → allocated"
PAID = "request → paid"
GIVEN_BACK = "cancel → given back"
CANCELLED = "cancel → subscription cancelled"

MEASURES = (ALLOCATED, PAID, GIVEN_BACK, CANCELLED)

_ENDS = {
    ALLOCATED: EventType.STOCK_ALLOCATED,
    PAID: EventType.PAYMENT_CREATED,
    GIVEN_BACK: EventType.STOCK_DEALLOCATED,
    CANCELLED: EventType.SUBSCRIPTION_CANCELLED,
}


@dataclass(slots=True)
class Life:
    """`number` is its aggregate's id. Moments are simulated seconds; commits are by their event."""

    number: int
    requested: float
    paid: simpy.Event
    cancel_requested: float | None = None
    committed: dict[EventType, float] = field(default_factory=dict)

    def seconds(self, measure: str, now: float) -> float | None:
        """How long it took; at least how long it has taken by now; None if it has not begun."""
        began = self.requested if measure in {ALLOCATED, PAID} else self.cancel_requested
        return None if began is None else self.committed.get(_ENDS[measure], now) - began


@dataclass(frozen=True, slots=True)
class Event:
    type: EventType
    life: Life
