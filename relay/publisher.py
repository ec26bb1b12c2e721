"""One try at bringing rows into durable hands, whoever's those are, and what came of each row."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from contracts.outbox import ROW_KEY, OutboxRecord
from relay.ports import DeadLetters, NeverAccepted, Row, StaysInOutbox, Target, Unpublishable
from relay.refusals import is_unknown
from runtime.errors import Unavailable
from runtime.metrics import RelayMetrics
from runtime.process.health import Readiness

log = structlog.get_logger(__name__)

TARGET = "target"
"""The part of a relay's readiness that publishing is."""


@dataclass
class Outcome:
    """What became of rows: `done` may leave the outbox, `again` may pass another time.

    `alone` met, each by itself, an error that is in no list: it may be the row's own, so others
    must not wait for it. `stuck` can neither be published nor set aside: no try soon will change
    that.
    """

    done: list[Row] = field(default_factory=list)
    again: list[Row] = field(default_factory=list)
    alone: list[Row] = field(default_factory=list)
    stuck: list[Row] = field(default_factory=list)

    def add(self, other: "Outcome") -> None:
        self.done += other.done
        self.again += other.again
        self.alone += other.alone
        self.stuck += other.stuck


class Publisher:
    """Publishes a batch that fits one call; what can never be published is dead-lettered."""

    def __init__(
        self,
        target: Target,
        dead_letters: DeadLetters,
        metrics: RelayMetrics,
        readiness: Readiness | None = None,
    ) -> None:
        self._target, self._dead_letters, self._metrics = target, dead_letters, metrics
        self._readiness = readiness or Readiness()

    def publish(self, batch: Sequence[Row]) -> Outcome:
        """Try once. Never raises: an error is logged, and says `again`, `alone` or `stuck`."""
        try:
            if isinstance(batch[0].content, Unpublishable):
                return self._set_aside(batch[0], batch[0].content)
            return self._publish_records(batch)
        except Unavailable as error:
            self._metrics.refused(error.reason, len(batch))
            log.warning("publish failed", reason=str(error), count=len(batch))
            self._readiness.down(TARGET, str(error))
            if not error.is_unknown:
                return Outcome(again=list(batch))
        except Exception as error:
            # Never a reason to drop a row or to stop the others: keep it, loudly.
            self._metrics.refused(type(error).__name__, len(batch))
            log.exception("publish failed", count=len(batch))
        return self._one_by_one(batch) if len(batch) > 1 else Outcome(alone=list(batch))

    def _one_by_one(self, batch: Sequence[Row]) -> Outcome:
        """Find the row that no batch survives; those beside it have to pass without it."""
        outcome = Outcome()
        for row in batch:
            outcome.add(self.publish([row]))
        return outcome

    def _publish_records(self, batch: Sequence[Row]) -> Outcome:
        records = [row.content for row in batch if isinstance(row.content, OutboxRecord)]
        failures = self._target.publish(records)
        outcome = Outcome(
            [row for row, failure in zip(batch, failures, strict=True) if failure is None]
        )
        self._count([each for each, failure in zip(records, failures, strict=True) if not failure])
        accepted = len(outcome.done)
        if accepted:
            self._readiness.up(TARGET)
        reason = ""
        for row, record, failure in zip(batch, records, failures, strict=True):
            if failure is None:
                continue
            self._metrics.refused(failure.code)
            if failure.permanent:
                never = Unpublishable(record.to_json(), NeverAccepted(failure))
                outcome.add(self._set_aside(row, never))
            else:
                (outcome.alone if is_unknown(failure.code) else outcome.again).append(row)
                reason = f"{failure.code}: {failure.message}"
        if failed := len(outcome.again) + len(outcome.alone):
            log.warning("part of a batch failed", failed=failed, accepted=accepted, reason=reason)
            if not accepted:
                self._readiness.down(TARGET, reason)
        return outcome

    def _set_aside(self, row: Row, unpublishable: Unpublishable) -> Outcome:
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
            return Outcome(alone=[row]) if error.is_unknown else Outcome(again=[row])
        except Exception as error:
            log.exception(
                "cannot be dead-lettered", aggregateId=row.aggregate_id, sequence=row.sequence
            )
            self._report_stuck(row, StaysInOutbox(unpublishable.error, error))
            return Outcome(stuck=[row])
        self._metrics.dead_lettered.inc()
        log.error(
            "dead-lettered",
            aggregateId=row.aggregate_id,
            sequence=row.sequence,
            errorType=type(unpublishable.error).__name__,
            errorMessage=str(unpublishable.error),
        )
        return Outcome([row])

    def _report_stuck(self, row: Row, reason: StaysInOutbox) -> None:
        """Dead-letter the key of a row that stays, once: each sweep meets it again."""
        # A document's `_id` of another form; any other row is known by its key.
        handle = base64.b64encode(row.handle).decode() if isinstance(row.handle, bytes) else None
        key = {"aggregateId": row.aggregate_id, "sequence": row.sequence, "bsonId": handle}
        try:
            self._dead_letters.send(
                row.aggregate_id, json.dumps(key), reason, encoding=ROW_KEY, once=True
            )
        except Exception as error:  # noqa: BLE001 (the next sweep tries again)
            log.warning("dead-lettering a key failed", reason=str(error))

    def _count(self, records: Sequence[OutboxRecord]) -> None:
        self._metrics.accepted([record.occurred_at for record in records])
        if records:
            log.info(
                "published",
                eventIds=[record.event_id for record in records],
                correlationIds=[record.correlation_id for record in records],
            )
