"""What a relay needs besides an outbox: a stream of its rows, a target, dead letters."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from contracts.outbox import OutboxRecord
from runtime.aws_failures import family_of_code
from runtime.batches import Limits
from runtime.outbox.ports import Outbox
from runtime.outbox.rows import Row
from runtime.verdicts import Family


class ChangeFeed(Protocol):
    """Delivers rows soon after they were committed; may drop any of them."""

    def open(self) -> None:
        """Position at LATEST: every later commit will be read. Raises Unavailable."""

    def read(self) -> Iterable[Row]:
        """Wait a moment for rows committed since the last read. Raises LostPosition, Unavailable.

        Rows of one aggregate come in the order in which the feed has them.
        """


class LostPosition(Exception):
    """The feed cannot be read on from its position: open it again, and sweep for what it missed."""


@dataclass(frozen=True)
class Failure:
    """The error code and message with which an entry was refused."""

    code: str
    message: str

    @property
    def family(self) -> Family:
        return family_of_code(self.code)

    @property
    def is_permanent(self) -> bool:
        """Whether the entry would be refused every time.

        KMS errors, say, are not its fault: SQS's SenderFault may be a key disabled for an hour.
        """
        return self.family is Family.ENTRY


class NeverAccepted(Exception):
    """The target refuses this entry and always will; becomes the errorType of a dead letter."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.code}: {failure.message}")


class CallRefused(Exception):
    """The target refused a whole call for what is in it, perhaps for one of its entries."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.code}: {failure.message}")
        self.failure = failure


class Target(Protocol):
    """A durable service: once it has accepted an event, the event's row may be deleted."""

    def publish(self, records: Sequence[OutboxRecord]) -> Sequence[Failure | None]:
        """Send one batch within `limits`; returns, in order, None for what was accepted.

        Raises CallRefused, or Unavailable if nothing is known to have been accepted.
        """

    def size_of(self, record: OutboxRecord) -> int:
        """Bytes that a record counts for against `limits`."""

    @property
    def limits(self) -> Limits: ...


class CannotBeDeadLettered(Exception):
    """The dead-letter queue can never take this body."""


class StaysInOutbox(Exception):
    """A row that can be neither published nor dead-lettered; the errorType of its dead letter."""

    def __init__(self, error: Exception, refusal: Exception) -> None:
        super().__init__(
            f"{type(error).__name__}: {error}; its row stays in the outbox, because it cannot be"
            f" dead-lettered: {type(refusal).__name__}: {refusal}"
        )


class DeadLetterTarget(Protocol):
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
        """Send a body with its error; `once`: only once in the life of this object.

        Raises Unavailable, and CannotBeDeadLettered for what the queue can never take.
        """


@dataclass(frozen=True)
class RelayAdapters:
    """What a relay reads, publishes to and dead-letters to."""

    outbox: Outbox
    target: Target
    dead_letters: DeadLetterTarget
    is_crowded: Callable[[], bool] = field(default=lambda: False, kw_only=True)
    """Whether so much waits in the target that a backlog had better stay in the outbox."""
