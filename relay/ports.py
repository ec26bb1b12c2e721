"""What a relay needs besides an outbox: a stream of its rows, a target, dead letters."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from contracts.outbox import OutboxRecord
from runtime.outbox.rows import Row

T = TypeVar("T")


class Stream(Protocol):
    """The bell: tells of rows soon after they were committed, and may miss any of them."""

    def open(self) -> None:
        """Stand at the stream's end, so that every later commit is told. Raises Unavailable."""
        ...

    def read(self) -> Iterable[Row]:
        """What was told since the last read; waits a moment for it. Raises LostPlace, Unavailable.

        Rows of one aggregate come in the order in which the stream has them.
        """
        ...


class LostPlace(Exception):
    """The stream cannot go on from where it stood: open it again, and sweep for what was missed."""


@dataclass(frozen=True)
class Failure:
    """Why an entry was refused; `permanent` if it would be refused every time."""

    code: str
    message: str
    permanent: bool


class NeverAccepted(Exception):
    """The target refuses this entry and always will; becomes the errorType of a dead letter."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.code}: {failure.message}")


class Target(Protocol):
    """Durable hands: once it has accepted an event, the event's row may go."""

    def publish(self, records: Sequence[OutboxRecord]) -> Sequence[Failure | None]:
        """Send one batch within `limits`; answers, in order, None for what was accepted.

        Raises Unavailable if nothing is known to have been accepted.
        """
        ...

    def size_of(self, record: OutboxRecord) -> int:
        """Bytes that a record counts for against `limits`."""
        ...

    @property
    def limits(self) -> "Limits": ...


@dataclass(frozen=True)
class Limits:
    """What one call may carry: entries, and bytes in total."""

    entries: int
    total_bytes: int

    def admit(self, entries: int, total_bytes: int, more: int) -> bool:
        """Whether a batch of that many entries and bytes has room for an entry of `more` bytes."""
        return entries < self.entries and total_bytes + more <= self.total_bytes

    def cut(self, items: Iterable[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
        """Cut items, in their order, into batches; one that is too large is a batch alone."""
        batch: list[T] = []
        total = 0
        for item in items:
            size = size_of(item)
            if batch and not self.admit(len(batch), total, size):
                yield batch
                batch, total = [], 0
            batch.append(item)
            total += size
        if batch:
            yield batch


class CannotBeSetAside(Exception):
    """The dead-letter queue can never take this body."""


class StaysInOutbox(Exception):
    """A row that can neither be published nor set aside; the errorType of what is sent for it."""

    def __init__(self, error: Exception, refusal: Exception) -> None:
        super().__init__(
            f"{type(error).__name__}: {error}; its row stays in the outbox, because it cannot be"
            f" set aside: {type(refusal).__name__}: {refusal}"
        )


class DeadLetters(Protocol):
    """Where rows go that can never be published."""

    def send(
        self,
        aggregate_id: str,
        body: str,
        error: Exception,
        *,
        encoding: str | None = None,
        once: bool = False,
    ) -> None:
        """Set a body aside with its reason; `once` in the life of this object, if so asked.

        Raises Unavailable, and CannotBeSetAside for what no try will bring there.
        """
        ...
