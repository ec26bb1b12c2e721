"""One pass over one batch: what Lambda's event source mapping sends is published and deleted.

The pipeline's window is for an endless flow: it waits for more, and holds what fails until it
passes. Here all rows are known before, and what does not pass soon is reported as failed: rounds
need neither locks nor an end that threads agree on.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog

from relay.ports import RelayAdapters
from relay.publisher import Outcome, Publisher, try_delete
from relay.recent_keys import RecentKeys
from runtime.aws import answered_within
from runtime.batches import in_batches
from runtime.congestion import LONGEST_TIMEOUT, CallResult, CongestionControl
from runtime.errors import Misconfigured
from runtime.metrics import RelayMetrics
from runtime.outbox.dynamodb_rows import row_of
from runtime.outbox.rows import Row
from runtime.retry import backoff

log = structlog.get_logger(__name__)

REMEMBERED_RECORDS = 10_000
"""Records, of some 100 bytes each: a hundred batches, where a batch comes again at once."""

CALLS = 16
"""Calls in flight: a round of 100 aggregates takes 10, and more where entries are large."""

BATCH_TRIES = 6
"""Of one row, or one delete, before it is given up; 3 to 6 s of waiting lie between them."""

FIRST_BATCH_WAIT, LONGEST_BATCH_WAIT = 0.2, 4.0
"""Seconds between tries: doubling from the first, and never more than the longest."""

LAST_DELETE = 3.0
"""Seconds for a delete when the time is over: Lambda ends an invocation a little later."""

TimeLeft = Callable[[], float]
"""Seconds in which a call must be answered; none begins that may take longer."""

Congestion = Callable[[int, int], CongestionControl]
"""Makes congestion control from the most calls in flight, and the most entries of each."""


def _congestion(calls: int, entries: int) -> CongestionControl:
    """Without pauses of its own: the wait between two rounds is one for all rows."""
    return CongestionControl(calls, entries, longest_pause=0.0)


class NotAStreamEvent(ValueError):
    """An event whose records have no identity; the mapping splits it and tries again."""


@dataclass(frozen=True)
class Insertion:
    """A stream record of a new row; `number` is what a response calls it by."""

    number: str
    aggregate_id: str
    image: Any

    @property
    def key(self) -> Hashable:
        """A row that is put back under its old key is another record, and is published."""
        return self.aggregate_id, self.number


class BatchPublisher:
    """Publishes a list of rows in rounds: each holds the first waiting row of each aggregate.

    The next round waits for the responses, so no two rows of an aggregate are ever in flight
    together, or in one call.
    """

    def __init__(
        self,
        adapters: RelayAdapters,
        metrics: RelayMetrics,
        *,
        wait: Callable[[float], object] = time.sleep,
        pool: Executor | None = None,
        congestion: Congestion = _congestion,
    ) -> None:
        self._outbox, self._wait = adapters.outbox, wait
        self._publisher = Publisher(adapters.target, adapters.dead_letters, metrics)
        self._publishing = congestion(CALLS, adapters.target.limits.entries)
        self._deleting = congestion(CALLS, adapters.outbox.max_deletes)
        self._copies: Counter[tuple[str, int]] = Counter()
        self._pool = pool or ThreadPoolExecutor(CALLS, thread_name_prefix="publisher")

    def publish(self, rows: Sequence[Row], time_left: TimeLeft) -> set[int]:
        """Returns the positions of those rows that may be deleted: published or dead-lettered.

        A row that has had its tries is left, with all that is behind it in its aggregate. So is one
        for whose answer there is no time.
        """
        waiting: dict[str, deque[int]] = {}
        for position, row in enumerate(rows):
            waiting.setdefault(row.aggregate_id, deque()).append(position)
        done: set[int] = set()
        if len(self._copies) > REMEMBERED_RECORDS:
            self._copies.clear()  # of rows that others have published since
        tries: Counter[str] = Counter()
        while waiting:
            outcome = self._try([rows[group[0]] for group in waiting.values()], time_left)
            if not outcome.rows:
                break
            for row in outcome.done:
                done.add(waiting[row.aggregate_id].popleft())
                del tries[row.aggregate_id], self._copies[row.key]
            failed = (*outcome.again, *outcome.lost, *outcome.broken)
            tries.update(row.aggregate_id for row in failed)
            self._copies.update(row.key for row in outcome.lost)
            tries.update(each.row.aggregate_id for each in outcome.alone)
            for each in outcome.stuck:
                self._publisher.report_stuck(each)
                tries[each.row.aggregate_id] = BATCH_TRIES
            waiting = {
                name: group
                for name, group in waiting.items()
                if group and tries[name] < BATCH_TRIES
            }
            if failing := waiting.keys() & tries.keys():
                self._back_off(max(tries[name] for name in failing))
        return done

    def delete(self, rows: Sequence[Row], time_left: TimeLeft) -> None:
        """Delete rows that were accepted. What stays is the sweep's, and is sent again."""
        batches = in_batches(rows, self._deleting.batch)
        for left in self._pool.map(lambda batch: self._delete(batch, time_left), batches):
            if left:
                log.warning("published rows stay and will be sent again", count=len(left))

    def _try(self, heads: Sequence[Row], time_left: TimeLeft) -> Outcome:
        outcome = Outcome()
        batches = self._publisher.batches(heads, self._publishing.batch, self._copies_of)
        for each in self._pool.map(lambda batch: self._publish(batch, time_left), batches):
            outcome.add(each)
        return outcome

    def _copies_of(self, row: Row) -> int:
        """How often a row was sent before, and no answer came in time; Lambda may forget it."""
        return self._copies[row.key]

    def _publish(self, batch: Sequence[Row], time_left: TimeLeft) -> Outcome:
        """Publish when a call may begin; an empty outcome if there is no time for its answer."""
        timeout = self._publishing.timeout(self._copies_of(batch[0]))
        spare = time_left() - timeout
        if spare < 0 or (call := self._publishing.begin(within=spare)) is None:
            return Outcome()
        with answered_within(timeout):
            outcome = self._publisher.publish(batch)
        outcome.after(self._publishing.end(call, outcome.result), timeout)
        return outcome

    def _delete(self, rows: Sequence[Row], time_left: TimeLeft) -> Sequence[Row]:
        """Try to delete, once whatever the time; returns what is still there.

        A delete that is done twice does no harm, so none waits for longer than there is time.
        """
        left, lost = rows, 0
        for attempt in range(1, BATCH_TRIES + 1):
            call = self._deleting.begin(within=max(0.0, time_left()))
            within = min(
                self._deleting.timeout(lost), LONGEST_TIMEOUT, max(LAST_DELETE, time_left())
            )
            with answered_within(within):
                deleted = try_delete(self._outbox, left)
            if call is not None:
                self._deleting.end(call, deleted.result)
            left, lost = deleted.left, lost + (deleted.result is CallResult.LOST)
            if not left or attempt == BATCH_TRIES or time_left() <= 0:
                break
            self._back_off(attempt)
        return left

    def _back_off(self, attempt: int) -> None:
        self._wait(backoff(attempt, first=FIRST_BATCH_WAIT, longest=LONGEST_BATCH_WAIT))


class StreamBatchHandler:
    """Publishes the rows of a batch of stream records, deletes them, and reports what failed.

    The mapping sends everything again from the first failed record on, what was published behind it
    too. Therefore the latest records that were accepted are remembered, for as long as this object
    lives: a batch that comes again to the same execution environment publishes nothing twice. In
    another one it does: at least once is the promise.
    """

    def __init__(
        self, publisher: BatchPublisher, table: str, *, remembered: int = REMEMBERED_RECORDS
    ) -> None:
        self._publisher, self._table = publisher, table
        self._recent = RecentKeys(remembered)

    def handle(self, event: Mapping[str, Any], time_left: TimeLeft) -> dict[str, Any]:
        """Take one batch, in the order of its shard; returns a partial batch response.

        https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
        Raises NotAStreamEvent, and Misconfigured for the stream of another table: a row of this
        table with the same key would be deleted unpublished. Both before anything is published.
        """
        fresh = [each for each in self._insertions(event) if each.key not in self._recent]
        readable = list(_readable(fresh))
        rows = [row for _, row in readable]
        done = self._publisher.publish(rows, time_left)
        accepted = {readable[position][0].key for position in done}
        self._recent.add(accepted)
        self._publisher.delete([rows[position] for position in sorted(done)], time_left)
        failed = [each.number for each in fresh if each.key not in accepted]
        if failed:
            log.warning("records failed", failed=len(failed), done=len(done))
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}

    def _insertions(self, event: Mapping[str, Any]) -> Iterator[Insertion]:
        """Read what every stream record has; only INSERT is a new row, deletes come as REMOVE."""
        try:
            for record in event["Records"]:
                table = record["eventSourceARN"].split("/")[1]
                change = record["dynamodb"]
                insertion = Insertion(
                    number=change["SequenceNumber"],
                    aggregate_id=change["Keys"]["aggregateId"]["S"],
                    image=change.get("NewImage"),
                )
                if table != self._table:
                    raise Misconfigured(
                        f"the mapping reads the stream of {table}, OUTBOX_TABLE is {self._table}"
                    )
                if record["eventName"] == "INSERT":
                    yield insertion
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise NotAStreamEvent(f"{type(error).__name__}: {error}") from error


def _readable(insertions: Iterable[Insertion]) -> Iterator[tuple[Insertion, Row]]:
    """Leave out what cannot be read, and what is behind it in its aggregate."""
    blocked: set[str] = set()
    for insertion in insertions:
        if insertion.aggregate_id in blocked:
            continue
        try:
            row = row_of(insertion.image)
        except Exception:
            # A bug, or a value no outbox has: its neighbours must not wait for its end.
            log.exception("record cannot be read", sequenceNumber=insertion.number)
            blocked.add(insertion.aggregate_id)
        else:
            yield insertion, row
