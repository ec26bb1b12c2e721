"""The engine every relay shares: publishers take batches from the window, deleters clear rows."""

import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

import structlog

from contracts.outbox import OutboxRecord
from relay.rows import DeadLetters, NeverAccepted, Outbox, Row, Target, Unpublishable
from relay.window import Window
from runtime.errors import Unavailable
from runtime.metrics import RelayMetrics
from runtime.retry import backoff
from runtime.stopping import Stop

log = structlog.get_logger(__name__)

MAX_ROWS = 2000
MAX_BYTES = 16 * 1024 * 1024
"""Bounds of the window: enough for every publisher and deleter to be busy with full batches, and
what a kill -9 can at worst send twice."""

PUBLISHERS = 16
DELETERS = 4
TRIES_WHILE_STOPPING = 3
"""How often deletes that are due are tried once a stop was requested."""


class Engine:
    """Publishes what is offered to its window, then deletes it: in that order, always."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        target: Target,
        dead_letters: DeadLetters,
        stop: Stop,
        metrics: RelayMetrics,
        window: Window | None = None,
    ) -> None:
        self._outbox, self._target, self._dead_letters = outbox, target, dead_letters
        self._stop, self._metrics = stop, metrics
        self.window = window or Window(max_rows=MAX_ROWS, max_bytes=MAX_BYTES)
        self._published: SimpleQueue[Row | None] = SimpleQueue()
        metrics.in_flight.set_function(lambda: len(self.window))

    def run(self) -> None:
        """Work until a stop is requested, then finish what is in flight."""
        publishers = _threads("publisher", PUBLISHERS, self._publish_batches)
        deleters = _threads("deleter", DELETERS, self._delete_batches)
        self._stop.wait()
        self.window.close()
        for thread in publishers:
            thread.join()
        for _ in deleters:
            self._published.put(None)
        for thread in deleters:
            thread.join()

    def _publish_batches(self) -> None:
        while batch := self.window.take(self._target):
            attempt = 0
            while batch and not (attempt and self._stop.requested):
                attempt += 1
                batch = self._publish(batch)
                if batch:
                    self._stop.wait(backoff(attempt, first=0.1, longest=15))

    def _publish(self, batch: list[Row]) -> list[Row]:
        """Bring rows into durable hands, whoever's those are; returns the rows to try again."""
        try:
            if isinstance(batch[0].content, Unpublishable):
                self._set_aside(batch[0], batch[0].content)
                return []
            return self._publish_records(batch)
        except Unavailable as error:
            self._metrics.failed.labels(error.reason).inc(len(batch))
            log.warning("publish failed", reason=str(error), count=len(batch))
            return batch
        except Exception as error:
            # Never a reason to drop a row or to stop the others: hold it, loudly.
            self._metrics.failed.labels(type(error).__name__).inc(len(batch))
            log.exception("publish failed", count=len(batch))
            return batch

    def _publish_records(self, batch: list[Row]) -> list[Row]:
        records = [row.content for row in batch if isinstance(row.content, OutboxRecord)]
        failures = self._target.publish(records)
        accepted: list[Row] = []
        again: list[Row] = []
        for row, record, failure in zip(batch, records, failures, strict=True):
            if failure is None:
                accepted.append(row)
            elif failure.permanent:
                self._metrics.failed.labels(failure.code).inc()
                self._set_aside(row, Unpublishable(record.to_json(), NeverAccepted(failure)))
            else:
                self._metrics.failed.labels(failure.code).inc()
                again.append(row)
        self._count(accepted)
        self._done(accepted)
        if again:
            log.warning("half a batch failed", failed=len(again), accepted=len(accepted))
        return again

    def _set_aside(self, row: Row, unpublishable: Unpublishable) -> None:
        self._dead_letters.send(row.aggregate_id, unpublishable.body, unpublishable.error)
        self._metrics.dead_lettered.inc()
        log.error(
            "dead-lettered",
            aggregateId=row.aggregate_id,
            sequence=row.sequence,
            errorType=type(unpublishable.error).__name__,
            errorMessage=str(unpublishable.error),
        )
        self._done([row])

    def _count(self, accepted: Sequence[Row]) -> None:
        records = [row.content for row in accepted if isinstance(row.content, OutboxRecord)]
        self._metrics.accepted([record.occurred_at for record in records])
        if records:
            log.info(
                "published",
                eventIds=[record.event_id for record in records],
                correlationIds=[record.correlation_id for record in records],
            )

    def _done(self, rows: Sequence[Row]) -> None:
        self.window.settle(rows)
        for row in rows:
            self._published.put(row)

    def _delete_batches(self) -> None:
        while (row := self._published.get()) is not None:
            batch = [row]
            while len(batch) < self._outbox.max_deletes:
                try:
                    more = self._published.get_nowait()
                except Empty:
                    break
                if more is None:
                    self._published.put(None)
                    break
                batch.append(more)
            self._delete(batch)

    def _delete(self, rows: Sequence[Row]) -> None:
        """Delete until it is done. What a stop interrupts stays, and is published once more."""
        left, attempt = rows, 0
        while left:
            try:
                left = self._outbox.delete(left)
            except Unavailable as error:
                log.warning("delete failed", reason=str(error), count=len(left))
            attempt += 1
            if left:
                self._stop.wait(backoff(attempt, first=0.05, longest=15))
                if self._stop.requested and attempt > TRIES_WHILE_STOPPING:
                    log.warning("published rows stay and will be sent again", count=len(left))
                    return
        self.window.remove(rows)


def _threads(name: str, count: int, work: Callable[[], None]) -> list[threading.Thread]:
    threads = [threading.Thread(target=work, name=f"{name}-{i}") for i in range(count)]
    for thread in threads:
        thread.start()
    return threads
