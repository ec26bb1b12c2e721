"""Publish one batch once, or delete one batch once, and report the outcome of each row."""

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import structlog

from contracts.outbox import ROW_KEY, OutboxRecord
from relay.ports import CallRefused, DeadLetterTarget, Failure, NeverAccepted, StaysInOutbox, Target
from runtime.batches import Limits
from runtime.congestion import CallResult
from runtime.errors import Unavailable
from runtime.metrics import RelayMetrics
from runtime.outbox.ports import Outbox
from runtime.outbox.rows import Row, Unpublishable
from runtime.process.health import Readiness
from runtime.verdicts import Family

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
    `again` met a failure that passes; `lost` had no answer, and may have been accepted; so may what
    was `broken`: its connection, before there was one. `alone` met
    an error by themselves that is in no list: it may be the row's own, so others must not wait for
    it. `stuck` can be neither published nor dead-lettered: no try soon will change that.
    `is_outage` says that the target took no call, `result` what the calls say of the target.
    """

    done: list[Row] = field(default_factory=list)
    again: list[Row] = field(default_factory=list)
    lost: list[Row] = field(default_factory=list)
    broken: list[Row] = field(default_factory=list)
    alone: list[Refused] = field(default_factory=list)
    stuck: list[Refused] = field(default_factory=list)
    accepted: int = 0
    is_outage: bool = False
    result: CallResult = CallResult.PASSED

    @property
    def rows(self) -> list[Row]:
        """All rows of the batch."""
        refused = [each.row for each in (*self.alone, *self.stuck)]
        return [*self.done, *self.again, *self.lost, *self.broken, *refused]

    def after(self, seconds: float, timeout: float) -> None:
        """Tell what was waited for, nearly as long as it was to be, from what broke before."""
        if seconds < 0.9 * timeout:
            self.broken, self.lost = self.lost, []

    def add(self, other: "Outcome") -> None:
        if self.result is CallResult.PASSED:
            self.result = other.result
        self.done += other.done
        self.again += other.again
        self.lost += other.lost
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

    def batches(
        self, rows: Sequence[Row], most: int, copies_of: Callable[[Row], int]
    ) -> Iterator[list[Row]]:
        """Cut rows into what `publish` takes: an unpublishable row alone, others by the call.

        A call has `most` rows at most, all of which were sent as often before.
        """
        for row in rows:
            if isinstance(row.content, Unpublishable):
                yield [row]
        readable = sorted(
            ((row, row.content) for row in rows if isinstance(row.content, OutboxRecord)),
            key=lambda pair: copies_of(pair[0]),
        )
        limits, size_of = self._target.limits, self._target.size_of
        limits = Limits(min(most, limits.entries), limits.total_bytes)
        for _, alike in groupby(readable, lambda pair: copies_of(pair[0])):
            for batch in limits.cut(alike, lambda pair: size_of(pair[1])):
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
                return _outage(batch, error)
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
            if failure.family is Family.UNKNOWN:
                outcome.alone.append(Refused(row, never))
            else:
                outcome.again.append(row)
            if failure.family is Family.THROTTLED:
                outcome.result = CallResult.THROTTLED
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


def _outage(batch: Sequence[Row], error: Unavailable) -> Outcome:
    outcome = Outcome(is_outage=True, result=CallResult.of(error))
    (outcome.lost if error.is_lost else outcome.again).extend(batch)
    return outcome


@dataclass(frozen=True)
class Deleted:
    """What a delete has left, and what it says of the outbox."""

    left: Sequence[Row]
    result: CallResult


def try_delete(outbox: Outbox, rows: Sequence[Row]) -> Deleted:
    """Delete at most `max_deletes` rows, once.

    Never raises: a deleter that dies of an error would leave a window full for good, and a batch
    that is reported for one would be published again. It is logged.
    """
    try:
        left = outbox.delete(rows)
    except Unavailable as error:
        log.warning("delete failed", reason=str(error), count=len(rows))
        return Deleted(rows, CallResult.of(error))
    except Exception:
        log.exception("delete failed", count=len(rows))
        return Deleted(rows, CallResult.AWAY)
    # BatchWriteItem leaves what would be too fast.
    return Deleted(left, CallResult.THROTTLED if left else CallResult.PASSED)
