"""Publishes a list of rows within bounds, round by round, and deletes what has left.

The engine's window is for an endless flow: it waits for more, and holds what fails until it passes.
Here all is known before, and what does not pass soon is given back: rounds need neither locks nor
an end that threads agree on.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

import structlog

from contracts.outbox import OutboxRecord
from relay.clearing import clear
from relay.ports import DeadLetters, Target
from relay.publisher import Outcome, Publisher
from runtime.metrics import RelayMetrics
from runtime.outbox.ports import Outbox
from runtime.outbox.rows import Row
from runtime.retry import backoff

log = structlog.get_logger(__name__)

CALLS = 16
"""Calls in flight: a round of 100 aggregates takes 10, and more where entries are large."""

TRIES = 6
"""Of one row, or one delete, before it is given back; 3 to 6 s of waiting lie between them."""

FIRST_WAIT, LONGEST_WAIT = 0.2, 4.0
"""Seconds between tries: doubling from the first, and never more than the longest."""

HasTime = Callable[[], bool]
"""Whether there is time for another round of calls."""


class Rounds:
    """A round holds the first waiting row of each aggregate; the next one waits for its answer.

    So no two rows of an aggregate are ever in flight together, or in one call.
    """

    def __init__(
        self,
        outbox: Outbox,
        target: Target,
        dead_letters: DeadLetters,
        metrics: RelayMetrics,
        *,
        wait: Callable[[float], object] = time.sleep,
        pool: Executor | None = None,
    ) -> None:
        self._outbox, self._target, self._wait = outbox, target, wait
        self._publisher = Publisher(target, dead_letters, metrics)
        self._pool = pool or ThreadPoolExecutor(CALLS, thread_name_prefix="publisher")

    def publish(self, rows: Sequence[Row], has_time: HasTime) -> set[int]:
        """Returns the positions of those rows that are in durable hands: published or set aside.

        A row that has had its tries is left, with all that is behind it in its aggregate. The first
        round is made whatever the time.
        """
        waiting: dict[str, deque[int]] = {}
        for position, row in enumerate(rows):
            waiting.setdefault(row.aggregate_id, deque()).append(position)
        done: set[int] = set()
        tries: Counter[str] = Counter()
        while waiting:
            outcome = self._try([rows[group[0]] for group in waiting.values()])
            for row in outcome.done:
                done.add(waiting[row.aggregate_id].popleft())
                del tries[row.aggregate_id]
            tries.update(row.aggregate_id for row in (*outcome.again, *outcome.alone))
            tries.update({row.aggregate_id: TRIES for row in outcome.stuck})
            waiting = {
                name: group for name, group in waiting.items() if group and tries[name] < TRIES
            }
            if not has_time():
                break
            if failing := waiting.keys() & tries.keys():
                self._back_off(max(tries[name] for name in failing))
        return done

    def delete(self, rows: Sequence[Row], has_time: HasTime) -> None:
        """Delete rows that are in durable hands. What stays is the sweep's, and is sent again."""
        most = self._outbox.max_deletes
        batches = [rows[start : start + most] for start in range(0, len(rows), most)]
        for left in self._pool.map(lambda batch: self._delete(batch, has_time), batches):
            if left:
                log.warning("published rows stay and will be sent again", count=len(left))

    def _try(self, heads: Sequence[Row]) -> Outcome:
        readable = [(row, row.content) for row in heads if isinstance(row.content, OutboxRecord)]
        size_of = self._target.size_of
        batches = [
            [row for row, _ in batch]
            for batch in self._target.limits.cut(readable, lambda pair: size_of(pair[1]))
        ]
        poison = [[row] for row in heads if not isinstance(row.content, OutboxRecord)]
        outcome = Outcome()
        for each in self._pool.map(self._publisher.publish, [*batches, *poison]):
            outcome.add(each)
        return outcome

    def _delete(self, rows: Sequence[Row], has_time: HasTime) -> Sequence[Row]:
        """Try to delete; returns what is still there."""
        left, attempt = rows, 0
        while True:
            attempt += 1
            left = clear(self._outbox, left)
            if not left or attempt == TRIES or not has_time():
                return left
            self._back_off(attempt)

    def _back_off(self, attempt: int) -> None:
        self._wait(backoff(attempt, first=FIRST_WAIT, longest=LONGEST_WAIT))
