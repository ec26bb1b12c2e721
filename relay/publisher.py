"""Publish one batch once, or delete one batch once, and report the outcome of each row."""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import structlog

from contracts.outbox import ROW_KEY, OutboxRecord
from relay.ports import CallRefused, DeadLetterTarget, Failure, NeverAccepted, StaysInOutbox, Target
from runtime.errors import Unavailable
from runtime.metrics import RelayMetrics
from runtime.outbox.ports import Outbox
from runtime.outbox.rows import Row, Unpublishable
from runtime.process.health import Readiness

log = structlog.get_logger(__name__)

TARGET_PART = "target"
"""The part of a relay's readiness that publishing is."""


@dataclass(frozen=True)
class Refused:
    """A row that was refused by itself, and why."""

    row: Row
    error: Exception


@dataclass
class Outcome:
    """The outcome of each row of a batch.

    `done` may leave the outbox: `accepted` of them were published, the others dead-lettered.
    `again` met a failure that passes. `alone` met an error by themselves that is in no list: it may
    be the row's own, so others must not wait for it. `stuck` can be neither published nor
    dead-lettered: no try soon will change that. `is_outage` says that the target took no call.
    """

    done: list[Row] = field(default_factory=list)
    again: list[Row] = field(default_factory=list)
    alone: list[Refused] = field(default_factory=list)
    stuck: list[Refused] = field(default_factory=list)
    accepted: int = 0
    is_outage: bool = False

    def add(self, other: "Outcome") -> None:
        self.done += other.done
        self.again += other.again
        self.alone += other.alone
        self.stuck += other.stuck
        self.accepted += other.accepted


class Publisher:
    """Publishes a batch that fits one call; what can never be published is dead-lettered.

    `event` is what the log says of accepted rows; `body_of` is a record as its dead letter has it.
    """

    def __init__(
        self,
        target: Target,
        dead_letters: DeadLetterTarget,
        metrics: RelayMetrics,
        readiness: Readiness | None = None,
        *,
        event: str = "published",
        body_of: Callable[[Row, OutboxRecord], str] = lambda _, record: record.to_json(),
    ) -> None:
        self._target, self._dead_letters, self._metrics = target, dead_letters, metrics
        self._readiness, self._event = readiness or Readiness(), event
        self._body_of = body_of

    def batches(self, rows: Sequence[Row]) -> Iterator[list[Row]]:
        """Cut rows into what `publish` takes: an unpublishable row alone, others by the call."""
        for row in rows:
            if isinstance(row.content, Unpublishable):
                yield [row]
        readable = [(row, row.content) for row in rows if isinstance(row.content, OutboxRecord)]
        size_of = self._target.size_of
        for batch in self._target.limits.cut(readable, lambda pair: size_of(pair[1])):
            yield [row for row, _ in batch]

    def publish(self, batch: Sequence[Row]) -> Outcome:
        """Try once. Never raises: an error is logged, and says `again`, `alone` or `stuck`."""
        content = batch[0].content
        if isinstance(content, Unpublishable):
            return self.dead_letter(batch[0], content)
        try:
            return self._publish_records(batch)
        except CallRefused as error:
            log.warning("publish failed", reason=str(error), count=len(batch))
            return self._publish_individually(batch)
        except Unavailable as error:
            self._metrics.refused(error.reason, len(batch))
            log.warning("publish failed", reason=str(error), count=len(batch))
            self._readiness.down(TARGET_PART, str(error))
            if not error.is_unknown:
                return Outcome(again=list(batch), is_outage=True)
            reason: Exception = NeverAccepted(Failure(error.reason, str(error)))
        except Exception as error:
            # Never a reason to drop a row or to stop the others: keep it, loudly.
            self._metrics.refused(type(error).__name__, len(batch))
            log.exception("publish failed", count=len(batch))
            reason = error
        if len(batch) == 1:
            return Outcome(alone=[Refused(batch[0], reason)])
        return self._publish_individually(batch)

    def dead_letter(self, row: Row, unpublishable: Unpublishable) -> Outcome:
        """Dead-letter one row. What not even that queue takes is, say, a document of megabytes."""
        try:
            self._dead_letters.send(
                row.aggregate_id,
                unpublishable.body,
                unpublishable.error,
                encoding=unpublishable.encoding,
            )
        except Unavailable as error:
            log.warning("dead-lettering failed", reason=str(error))
            if error.is_unknown:
                return Outcome(alone=[Refused(row, unpublishable.error)])
            return Outcome(again=[row])
        except Exception as error:
            log.exception(
                "cannot be dead-lettered", aggregateId=row.aggregate_id, sequence=row.sequence
            )
            return Outcome(stuck=[Refused(row, StaysInOutbox(unpublishable.error, error))])
        self._metrics.dead_lettered.inc()
        log.error(
            "dead-lettered",
            aggregateId=row.aggregate_id,
            sequence=row.sequence,
            errorType=type(unpublishable.error).__name__,
            errorMessage=str(unpublishable.error),
        )
        return Outcome([row])

    def report_stuck(self, stuck: Refused) -> None:
        """Dead-letter the key of a row that stays in its outbox, once: each sweep finds it."""
        row = stuck.row
        # A document's `_id` of another form; any other row is known by its key.
        handle = base64.b64encode(row.handle).decode() if isinstance(row.handle, bytes) else None
        key = {"aggregateId": row.aggregate_id, "sequence": row.sequence, "bsonId": handle}
        try:
            self._dead_letters.send(
                row.aggregate_id, json.dumps(key), stuck.error, encoding=ROW_KEY, once=True
            )
        except Exception as error:  # noqa: BLE001 (the next sweep tries again)
            log.warning("dead-lettering a key failed", reason=str(error))

    def _publish_individually(self, batch: Sequence[Row]) -> Outcome:
        """Find the row for which the call fails; the others have to pass without it."""
        outcome = Outcome()
        for row in batch:
            outcome.add(self.publish([row]))
        return outcome

    def _publish_records(self, batch: Sequence[Row]) -> Outcome:
        records = [row.content for row in batch if isinstance(row.content, OutboxRecord)]
        failures = self._call(records)
        outcome = Outcome(
            [row for row, failure in zip(batch, failures, strict=True) if failure is None]
        )
        outcome.accepted = accepted = len(outcome.done)
        self._count([each for each, failure in zip(records, failures, strict=True) if not failure])
        if accepted:
            self._readiness.up(TARGET_PART)
        reason = ""
        for row, record, failure in zip(batch, records, failures, strict=True):
            if failure is None:
                continue
            self._metrics.refused(failure.code)
            never = NeverAccepted(failure)
            if failure.is_permanent:
                outcome.add(self.dead_letter(row, Unpublishable(self._body_of(row, record), never)))
                continue
            if failure.is_unknown:
                outcome.alone.append(Refused(row, never))
            else:
                outcome.again.append(row)
            reason = str(never)
        if failed := len(outcome.again) + len(outcome.alone):
            log.warning("part of a batch failed", failed=failed, accepted=accepted, reason=reason)
            if not accepted:
                self._readiness.down(TARGET_PART, reason)
        return outcome

    def _call(self, records: Sequence[OutboxRecord]) -> Sequence[Failure | None]:
        """Where a call that was refused has one record, it is that record's failure."""
        try:
            return self._target.publish(records)
        except CallRefused as error:
            if len(records) > 1:
                raise
            return [error.failure]

    def _count(self, records: Sequence[OutboxRecord]) -> None:
        self._metrics.accepted([record.occurred_at for record in records])
        if records:
            log.info(
                self._event,
                eventIds=[record.event_id for record in records],
                correlationIds=[record.correlation_id for record in records],
            )


def try_delete(outbox: Outbox, rows: Sequence[Row]) -> Sequence[Row]:
    """Delete at most `max_deletes` rows, once; returns those that are still there.

    Never raises: a deleter that dies of an error would leave a window full for good, and a batch
    that is reported for one would be published again. It is logged.
    """
    try:
        return outbox.delete(rows)
    except Unavailable as error:
        log.warning("delete failed", reason=str(error), count=len(rows))
    except Exception:
        log.exception("delete failed", count=len(rows))
    return rows
