"""Use cases: HTTP and SQS both call these."""

import hashlib
import json
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from contracts.causes import Cause
from contracts.envelope import PAYLOAD_VERSION
from contracts.outbox import OutboxRecord
from runtime.callers import Caller
from runtime.ids import new_id
from runtime.outbox.commit import AggregateStore, UseCases
from services.subscription.events import no_key, record_of
from services.subscription.model import (
    CancelledBy,
    Order,
    Reason,
    Subscription,
    SubscriptionNotFound,
)


class Handlers(UseCases[Subscription]):
    """Subscribes, cancels and erases.

    `event_version` is that of the events that it commits; `seal` is what version 2 of
    SubscriptionCreated needs.
    """

    def __init__(
        self,
        store: AggregateStore[Subscription],
        *,
        event_version: int = PAYLOAD_VERSION,
        seal: Callable[[str], str] = no_key,
        **how: Any,
    ) -> None:
        super().__init__(store, **how)
        self._event_version, self._seal = event_version, seal

    def subscribe(
        self, order: Order, cause: Cause, *, key: str | None = None, caller: Caller | None = None
    ) -> Subscription:
        """Create a subscription; with an idempotency key, at most one however often it is sent.

        The key decides the subscription's id, so the row itself is the record of the key, in the
        same transaction and for as long. A caller's keys are its own. Raises IdempotencyKeyReused
        for another body, SubscriptionGone for the key of one that was erased.
        """
        subscription_id = _id_of(key, caller) if key else new_id()
        digest = _digest(order)

        def decide(current: Subscription | None) -> Subscription:
            if current is not None:
                return current.requested_again(digest)
            return Subscription.create(
                subscription_id,
                order,
                request_digest=digest,
                now=self._now(),
                owner=caller.owner if caller else None,
            )

        return self.change(subscription_id, decide, self._record(cause), presumed_new=True)

    def cancel(
        self,
        subscription_id: str,
        by: CancelledBy,
        reason: Reason,
        cause: Cause,
        *,
        owner: str | None = None,
    ) -> Subscription:
        """Cancel one, which must be its owner's if one is given; raises SubscriptionNotFound."""

        def decide(current: Subscription | None) -> Subscription:
            return _found(subscription_id, current, owner).cancel(by, reason, now=self._now())

        return self.change(subscription_id, decide, self._record(cause))

    def erase(self, subscription_id: str, cause: Cause) -> Subscription:
        """Blank what is personal; raises SubscriptionNotFound, StillActive."""

        def decide(current: Subscription | None) -> Subscription:
            return _found(subscription_id, current).erase(now=self._now())

        return self.change(subscription_id, decide, self._record(cause))

    def get(self, subscription_id: str, *, owner: str | None = None) -> Subscription:
        """Read one, which must be its owner's if one is given; raises SubscriptionNotFound."""
        return _found(subscription_id, self._store.get(subscription_id), owner)

    def _record(self, cause: Cause) -> Callable[[Subscription], OutboxRecord]:
        return partial(
            record_of,
            cause=cause,
            event_id=self._new_id(),
            version=self._event_version,
            seal=self._seal,
        )


def _found(
    subscription_id: str, subscription: Subscription | None, owner: str | None = None
) -> Subscription:
    if subscription is None or owner not in {None, subscription.owner}:
        raise SubscriptionNotFound(subscription_id)
    return subscription


_KEYS = uuid5(NAMESPACE_URL, "urn:streamed-events:idempotency-key")
_KEYS_OF_CALLERS = uuid5(NAMESPACE_URL, "urn:streamed-events:idempotency-key-of-caller")


def _id_of(key: str, caller: Caller | None) -> str:
    return str(uuid5(_KEYS_OF_CALLERS, caller.named(key)) if caller else uuid5(_KEYS, key))


def _digest(order: Order) -> str:
    return hashlib.sha256(json.dumps(vars(order), sort_keys=True).encode()).hexdigest()
