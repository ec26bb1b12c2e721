"""Use cases: set a direct debit up with the subscription, and cancel it.

A third party cancels it, or it ends with its subscription, whose end may come before its creation.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from contracts.causes import Cause
from contracts.envelope import PAYLOAD_VERSION
from contracts.outbox import OutboxRecord
from runtime.outbox.commit import AggregateStore, UseCases
from services.payment.events import record_of
from services.payment.model import Payment, PaymentNotFound, ReasonCode


class Handlers(UseCases[Payment]):
    """Creates and cancels. `event_version` is that of the events that it commits."""

    def __init__(
        self,
        store: AggregateStore[Payment],
        *,
        event_version: int = PAYLOAD_VERSION,
        **how: Any,
    ) -> None:
        super().__init__(store, **how)
        self._event_version = event_version

    def create(self, subscription_id: str, account_number: str, cause: Cause) -> Payment:
        """Set the debit up, unless there is one already."""

        def decide(current: Payment | None) -> Payment:
            return current or Payment.create(subscription_id, account_number, now=self._now())

        return self.change(subscription_id, decide, self._record(cause), presumed_new=True)

    def cancel(
        self, payment_id: str, cause: Cause, reason_code: ReasonCode | None = None
    ) -> Payment:
        """Cancel the debit, for the bank's reason if it has one; raises PaymentNotFound."""

        def decide(current: Payment | None) -> Payment:
            if current is None:
                raise PaymentNotFound(payment_id)
            return current.cancel(reason_code, now=self._now())

        return self.change(payment_id, decide, self._record(cause))

    def cancel_with_subscription(self, subscription_id: str, cause: Cause) -> Payment:
        """Cancel the debit; where there is none yet, see to it that there never will be."""

        def decide(current: Payment | None) -> Payment:
            if current is None:
                return Payment.cancel_before_creation(subscription_id, now=self._now())
            return current.cancel(now=self._now())

        return self.change(subscription_id, decide, self._record(cause))

    def erase(self, subscription_id: str, cause: Cause) -> Payment:
        """Cancel the debit likewise, and blank what is personal."""

        def decide(current: Payment | None) -> Payment:
            now = self._now()
            if current is None:
                current = Payment.cancel_before_creation(subscription_id, now=now)
            return current.erase(now=now)

        return self.change(subscription_id, decide, self._record(cause))

    def get(self, payment_id: str) -> Payment:
        """Read one; raises PaymentNotFound."""
        payment = self._store.get(payment_id)
        if payment is None:
            raise PaymentNotFound(payment_id)
        return payment

    def _record(self, cause: Cause) -> Callable[[Payment], OutboxRecord]:
        version = self._event_version
        return partial(record_of, cause=cause, event_id=self._new_id(), version=version)
