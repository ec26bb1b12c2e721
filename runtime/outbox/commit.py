"""Load, decide, commit: how a use case changes an aggregate, whatever the database."""

import random
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from contracts.outbox import OutboxRecord
from runtime.cursors import Page
from runtime.errors import Conflict
from runtime.ids import new_event_id, utc_now


class Aggregate(Protocol):
    """What a store needs to know of a row: its version, 1 or more."""

    @property
    def version(self) -> int: ...


A = TypeVar("A", bound=Aggregate)


class AggregateStore(Protocol[A]):
    """One kind of aggregate and its outbox."""

    def get(self, aggregate_id: str, /) -> A | None:
        """Read what was last committed; raises Unavailable."""

    def commit(self, after: A, record: OutboxRecord | None, /, *, replaces: A | None) -> None:
        """Write the aggregate and its outbox record, if any, in one transaction, or neither.

        Raises Conflict unless the stored row is still the version of `replaces` (None: no row),
        Unavailable if the outcome is unknown or nothing was written; committing again is safe.
        """

    def page(
        self, *, limit: int, after: Mapping[str, str] | None, where: str | None = None
    ) -> Page[A]:
        """Read a page: of the aggregates whose indexed field is `where`, or of all."""


COMMIT_TRIES = 8
"""Writers of one aggregate that may pass us before we give up: more than ever meet on one."""


class UseCases(Generic[A]):
    """What may happen to one kind of aggregate; HTTP and SQS both call it.

    The clock, the ids and the waits are arguments: tests choose them. `wait` is how the loser of a
    race waits: some milliseconds, given in seconds.
    """

    def __init__(
        self,
        store: AggregateStore[A],
        *,
        now: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] = new_event_id,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._store, self._now, self._new_id, self._wait = store, now, new_id, wait

    def change(
        self,
        aggregate_id: str,
        decide: Callable[[A | None], A],
        record: Callable[[A], OutboxRecord],
        *,
        presumed_new: bool = False,
    ) -> A:
        """Decide on what is stored and commit the decision with its event; returns what then is.

        `decide` returns its argument where there is nothing to do: that is what makes a repeated
        delivery harmless. It is called again on fresh state when another writer was first, at the
        commit or, if it raises Conflict itself, at what it reads. What leaves the version as it was
        is committed without an event.
        `presumed_new` saves the first read where there is hardly ever a row: if there is, the
        commit meets it, and the second try reads it. Raises Conflict after COMMIT_TRIES such
        losses, and whatever `decide` and the store raise.
        """
        for attempt in range(1, COMMIT_TRIES + 1):
            is_presumption = presumed_new and attempt == 1
            before = None if is_presumption else self._store.get(aggregate_id)
            try:
                after = decide(before)
                if after is before:
                    return after
                is_event = before is None or after.version != before.version
                self._store.commit(after, record(after) if is_event else None, replaces=before)
            except Conflict:
                if attempt == COMMIT_TRIES:
                    raise
                if not is_presumption:
                    # Losers of one race would meet again if they came back together.
                    self._wait(random.uniform(0, 0.01 * attempt))  # noqa: S311 (jitter, no secret)
            else:
                return after
        raise AssertionError("unreachable")  # pragma: no cover
