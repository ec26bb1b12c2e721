"""From the FIFO queue to the bus: in order per group, a group whose head fails waits alone."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from contracts.outbox import EventTooLarge, MalformedRecord, OutboxRecord
from relay.ports import DeadLetters, Failure, NeverAccepted, Target
from relay.publisher import TARGET
from relay.receipts import Receipts
from relay.refusals import is_unknown
from runtime.errors import Unavailable
from runtime.metrics import RelayMetrics
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.retry import backoff
from runtime.sqs.queue import Queue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

log = structlog.get_logger(__name__)

MAX_HELD = 100
"""Messages that one forwarder holds: past these it receives no more until a group goes on."""

LONGEST_WAIT = 2.0
"""Seconds between tries for the groups that wait; their forwarder's other groups wait as long."""

MOST_STRIKES = 30
"""Tries of one message, over half a minute or more, that failed with an error in no list while the
bus took others. It is dead-lettered then. The queue's own count of receives would not do: a group
that is put back is received as a whole, and good messages would be buried with it."""

Groups = dict[str, "list[MessageTypeDef]"]
"""Messages in hand by group, in order."""


def run_together(forwarders: "Sequence[Forwarder]", stop: Stop) -> None:
    """Run forwarders in threads; what they hold at the stop is put back when all have ended.

    Before that, one that still waits for messages would receive it, and the queue counts receives.
    """

    def run(forwarder: Forwarder) -> None:
        try:
            forwarder.run()
        finally:
            stop.request()  # also after a failure: the others must not wait for it

    with ThreadPoolExecutor(len(forwarders), thread_name_prefix="forwarder") as pool:
        runs = [pool.submit(run, forwarder) for forwarder in forwarders]
    for forwarder in forwarders:
        forwarder.put_back()
    for ended in runs:
        ended.result()


class Forwarder:
    """Receives a batch, publishes it head by head of each group, deletes what was accepted.

    While a group has messages in flight SQS gives out no more of it, so several forwarders, in one
    process or many, keep each group's order.
    """

    def __init__(
        self,
        sqs: "SQSClient",
        queue: Queue,
        target: Target,
        dead_letters: DeadLetters,
        *,
        stop: Stop,
        metrics: RelayMetrics,
        readiness: Readiness,
        wait_seconds: int,
    ) -> None:
        self._receipts, self._queue, self._target = Receipts(sqs, queue), queue, target
        self._dead_letters, self._stop, self._metrics = dead_letters, stop, metrics
        self._readiness, self._wait_seconds = readiness, wait_seconds
        self._held: Groups = {}
        self._undeleted: set[str] = set()
        self._accepted = 0
        self._strikes: dict[str, Strikes] = {}

    def run(self) -> None:
        """Forward until a stop is requested; what is in flight then is finished or stays held."""
        failures = 0
        self._readiness.up(self._queue.name)
        while not self._stop.requested:
            away = not self._receive(self._held)
            self._held = self._forward(self._held)
            failures = failures + 1 if self._held or away else 0
            if failures:
                delay = backoff(failures, first=0.1, longest=LONGEST_WAIT)
                # Held, not put back: the queue counts receives, and an outage is no poison.
                hidden = delay + self._queue.visibility_timeout
                self._receipts.show_again_in(_all(self._held), hidden)
                self._stop.wait(delay)

    def put_back(self) -> None:
        """Have what is held seen again at once."""
        self._receipts.show_again_in(_all(self._held), 0)

    def _receive(self, held: Groups) -> bool:
        """Add a batch to what is held, and do not wait for it then; False if SQS is away."""
        if len(_all(held)) >= MAX_HELD:
            return True
        try:
            messages = self._receipts.receive(wait_seconds=0 if held else self._wait_seconds)
        except Unavailable as error:
            log.warning("receive failed", queue=self._queue.name, reason=str(error))
            self._readiness.down(self._queue.name, str(error))
            return False
        self._readiness.up(self._queue.name)
        for message in messages:
            held.setdefault(_group_of(message), []).append(message)
        return True

    def _forward(self, groups: Groups) -> Groups:
        """Publish round by round: each round holds the first message of each group.

        Returns the groups whose heads failed, with all that is behind those.
        """
        failed: Groups = {}
        while groups and not self._stop.requested:
            done = self._publish([group[0] for group in groups.values()])
            gone = {_group_of(message) for message in self._delete(done)}
            failed |= {name: group for name, group in groups.items() if name not in gone}
            groups = {name: groups[name][1:] for name in groups if name in gone}
            groups = {name: group for name, group in groups.items() if group}
        return failed | groups

    def _publish(self, heads: "Sequence[MessageTypeDef]") -> "list[MessageTypeDef]":
        """Publish what fits in calls to the target; returns the messages that may be deleted."""
        done: list[MessageTypeDef] = []
        readable: list[tuple[MessageTypeDef, OutboxRecord]] = []
        for message in heads:
            if message["MessageId"] in self._undeleted:
                done.append(message)
                continue
            try:
                readable.append((message, OutboxRecord.from_json(message["Body"])))
            except (MalformedRecord, EventTooLarge) as error:
                if self._set_aside(message, error):
                    done.append(message)
        size_of = self._target.size_of
        for batch in self._target.limits.cut(readable, lambda pair: size_of(pair[1])):
            failures = self._try([record for _, record in batch])
            if failures is None:
                break  # the next batches would fare no better
            for (message, _), failure in zip(batch, failures, strict=True):
                if failure is None or (
                    self._is_the_messages_fault(message, failure)
                    and self._set_aside(message, NeverAccepted(failure))
                ):
                    done.append(message)
                    self._strikes.pop(message["MessageId"], None)
        return done

    def _is_the_messages_fault(self, message: "MessageTypeDef", failure: Failure) -> bool:
        """Whether the bus says so, or takes others again and again and never this one."""
        if failure.permanent or not is_unknown(failure.code):
            return failure.permanent
        strikes = self._strikes.setdefault(message["MessageId"], Strikes(self._accepted))
        return strikes.count(self._accepted) >= MOST_STRIKES

    def _try(self, records: Sequence[OutboxRecord]) -> Sequence[Failure | None] | None:
        """Publish one batch, and count what came of it; None if the whole call failed."""
        try:
            failures = self._target.publish(records)
        except Unavailable as error:
            self._metrics.refused(error.reason, len(records))
            log.warning("publish failed", reason=str(error), count=len(records))
            self._readiness.down(TARGET, str(error))
            return None
        except Exception as error:
            # Never a reason to drop a message or to stop the others: hold it, loudly.
            self._metrics.refused(type(error).__name__, len(records))
            log.exception("publish failed", count=len(records))
            return None
        for failure in filter(None, failures):
            self._metrics.refused(failure.code)
        accepted = [
            record for record, failure in zip(records, failures, strict=True) if failure is None
        ]
        self._metrics.accepted([record.occurred_at for record in accepted])
        self._accepted += len(accepted)
        for failure in filter(None, failures):
            log.warning("refused", reason=f"{failure.code}: {failure.message}")
            if not accepted:
                self._readiness.down(TARGET, f"{failure.code}: {failure.message}")
        if accepted:
            self._readiness.up(TARGET)
            log.info(
                "forwarded",
                eventIds=[record.event_id for record in accepted],
                correlationIds=[record.correlation_id for record in accepted],
            )
        return failures

    def _set_aside(self, message: "MessageTypeDef", error: Exception) -> bool:
        """Dead-letter a message; False if that could not be done, and it has to wait."""
        try:
            self._dead_letters.send(_group_of(message), message["Body"], error)
        except Unavailable as unavailable:
            log.warning("dead-lettering failed", reason=str(unavailable))
            return False
        except Exception:
            log.exception("cannot be dead-lettered", group=_group_of(message))
            return False
        self._metrics.dead_lettered.inc()
        log.error("dead-lettered", errorType=type(error).__name__, errorMessage=str(error))
        return True

    def _delete(self, messages: "Sequence[MessageTypeDef]") -> "list[MessageTypeDef]":
        """Delete what is published; returns what is gone.

        What stays is remembered: its group waits for it to go, and it is not published again.
        """
        gone = self._receipts.delete(messages)
        self._undeleted |= {message["MessageId"] for message in messages}
        self._undeleted -= {message["MessageId"] for message in gone}
        return gone


@dataclass
class Strikes:
    """How often a message was refused while others were accepted; `seen` were before its last."""

    seen: int
    strikes: int = 0

    def count(self, accepted: int) -> int:
        self.strikes += accepted > self.seen
        self.seen = accepted
        return self.strikes


def _group_of(message: "MessageTypeDef") -> str:
    return message["Attributes"]["MessageGroupId"]


def _all(groups: Groups) -> "list[MessageTypeDef]":
    return [message for group in groups.values() for message in group]
