"""What clients were promised: kept by the clients, who know nothing of the system's insides."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from threading import Lock
from typing import Literal

CancelledBy = Literal["customer", "bank"]


@dataclass(frozen=True)
class Promise:
    """A subscription that was answered with 201.

    `cancelled_by` says who cancelled it, once that was answered: its customer, or the bank.
    """

    subscription_id: str
    quantity: int
    account_number: str
    cancelled_by: CancelledBy | None = None


class Ledger:
    """Thread-safe. `requests` counts by kind, `retries` those that were sent again, by kind.

    `broken` says in sentences what an answer contradicted while the system ran. `rejected` are
    those for which there were no razors, as stock says at the end.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._promises: dict[str, Promise] = {}
        self.requests: Counter[str] = Counter()
        self.retries: Counter[str] = Counter()
        self.broken: list[str] = []
        self.rejected: set[str] = set()

    def __iter__(self) -> Iterator[Promise]:
        with self._lock:
            return iter(list(self._promises.values()))

    def __len__(self) -> int:
        return len(self._promises)

    def sent(self, kind: str, *, again: bool = False) -> None:
        with self._lock:
            self.requests[kind] += 1
            self.retries[kind] += again

    def promised(self, promise: Promise) -> None:
        """A subscription was answered."""
        with self._lock:
            self._promises[promise.subscription_id] = promise

    def cancelled(self, subscription_id: str, by: CancelledBy) -> None:
        """A cancellation was answered."""
        with self._lock:
            known = self._promises[subscription_id]
            self._promises[subscription_id] = replace(known, cancelled_by=by)

    def report_broken(self, sentence: str) -> None:
        with self._lock:
            self.broken.append(sentence)
