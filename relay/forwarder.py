"""From the FIFO queue to the bus: in order per group; a group whose head fails waits alone."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from contracts.outbox import EventTooLarge, MalformedRecord, OutboxRecord
from relay.adapters.sqs_fifo import FifoReceiver
from relay.ports import DeadLetterTarget, Target
from relay.publisher import Outcome, Publisher, Refused
from runtime.aws import answered_within
from runtime.congestion import CongestionControl
from runtime.errors import Unavailable
from runtime.metrics import RelayMetrics
from runtime.outbox.rows import Row, Unpublishable
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.retry import Strikes, backoff
from runtime.sqs.queue import FIRST_ANSWER_WITHIN, SourceQueue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

log = structlog.get_logger(__name__)

MAX_HELD = 100
"""Messages that one forwarder holds: past these it receives no more until a group goes on."""

LONGEST_GROUP_WAIT = 2.0
"""Seconds between tries for the groups that wait; their forwarder's other groups wait as long."""

VISIBILITY_MARGIN = 5.0
"""Seconds for which a message stays hidden, at least, after the answer to its call is due."""

SLOT_WAIT = 5.0
"""Seconds between two looks, while a call may not begin, at whether a stop was requested."""

MOST_STRIKES = 30
"""Tries of one message, over half a minute or more, that failed with an unlisted error while the
bus accepted others. It is dead-lettered then. The queue's own count of receives would not do: a
group that is put back is received as a whole, and good messages would be dead-lettered with it."""

Groups = dict[str, "list[MessageTypeDef]"]
"""Messages in flight by group, in order."""


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
    process or many, keep each group's order. What is held stays hidden for as long as an answer may
    take. Those of one process share their congestion control.
    """

    def __init__(
        self,
        sqs: "SQSClient",
        queue: SourceQueue,
        target: Target,
        dead_letters: DeadLetterTarget,
        *,
        stop: Stop,
        metrics: RelayMetrics,
        readiness: Readiness,
        wait_seconds: int,
        congestion: CongestionControl | None = None,
        max_held: int = MAX_HELD,
        longest_wait: float = LONGEST_GROUP_WAIT,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._receiver, self._queue = FifoReceiver(sqs, queue), queue
        self._publisher = Publisher(
            target,
            dead_letters,
            metrics,
            readiness,
            event="forwarded",
            body_of=lambda row, _: str(row.handle["Body"]),
        )
        self._stop, self._readiness, self._wait_seconds = stop, readiness, wait_seconds
        self._congestion = congestion or CongestionControl(
            1, target.limits.entries, longest_pause=longest_wait, first_timeout=FIRST_ANSWER_WITHIN
        )
        self._max_held, self._longest_wait, self._now = max_held, longest_wait, now
        self._hidden_until = now()
        self._copies: Counter[str] = Counter()
        self._held: Groups = {}
        self._undeleted: set[str] = set()
        self._accepted = 0
        self._strikes: dict[str, Strikes] = {}

    def run(self) -> None:
        """Forward until a stop is requested; what is in flight then is finished or stays held."""
        failures = 0
        self._readiness.up(self._queue.name)
        while not self._stop.requested:
            is_away = not self._receive(self._held)
            self._held = self._forward(self._held)
            failures = failures + 1 if self._held or is_away else 0
            if failures:
                delay = backoff(failures, first=0.1, longest=self._longest_wait)
                # Held, not put back: the queue counts receives, and an outage is no poison.
                self._hide(_all(self._held), delay)
                self._stop.wait(delay)

    def put_back(self) -> None:
        """Make what is held visible again at once."""
        self._receiver.change_visibility(_all(self._held), 0)

    def _receive(self, held: Groups) -> bool:
        """Add a batch to what is held, and do not wait for it then; False if SQS is away."""
        if len(_all(held)) >= self._max_held:
            return True
        try:
            messages = self._receiver.receive(wait_seconds=0 if held else self._wait_seconds)
        except Unavailable as error:
            log.warning("receive failed", queue=self._queue.name, reason=str(error))
            self._readiness.down(self._queue.name, str(error))
            return False
        self._readiness.up(self._queue.name)
        if messages:
            until = self._now() + self._queue.visibility_timeout
            self._hidden_until = min(self._hidden_until, until) if held else until
        for message in messages:
            held.setdefault(_group_of(message), []).append(message)
        return True

    def _forward(self, groups: Groups) -> Groups:
        """Publish in rounds: each round holds the first message of each group.

        Returns the groups whose heads failed, with all that is behind those.
        """
        failed: Groups = {}
        while groups and not self._stop.requested:
            done = self._publish(groups, failed)
            gone = {_group_of(message) for message in self._delete(done)}
            failed |= {name: group for name, group in groups.items() if name not in gone}
            groups = {name: groups[name][1:] for name in groups if name in gone}
            groups = {name: group for name, group in groups.items() if group}
        return failed | groups

    def _publish(self, groups: Groups, failed: Groups) -> "list[MessageTypeDef]":
        """Publish or dead-letter heads of groups, once; returns what may be deleted of them."""
        heads = [group[0] for group in groups.values()]
        held = [*_all(groups), *_all(failed)]
        done = [message for message in heads if message["MessageId"] in self._undeleted]
        rows = [_row_of(each) for each in heads if each["MessageId"] not in self._undeleted]
        for batch in self._publisher.batches(rows, self._congestion.batch, self._copies_of):
            outcome = self._call(batch, held)
            self._copies.update(row.handle["MessageId"] for row in outcome.lost)
            if outcome.is_outage or not outcome.rows:
                break  # the next batches would fare no better
            self._accepted += outcome.accepted
            left = [each.row for each in outcome.alone if self._dead_letter(each)]
            for row in (*outcome.done, *left):
                done.append(row.handle)
                self._strikes.pop(row.handle["MessageId"], None)
                del self._copies[row.handle["MessageId"]]
        return done

    def _copies_of(self, row: Row) -> int:
        """How often a message was sent before, and no answer came in time."""
        return self._copies[row.handle["MessageId"]]

    def _call(self, batch: Sequence[Row], held: "Sequence[MessageTypeDef]") -> Outcome:
        """Publish when a call may begin, with all that is held hidden; empty after a stop."""
        timeout = self._congestion.timeout(self._copies_of(batch[0]))
        while (call := self._congestion.begin(within=SLOT_WAIT)) is None:
            if self._stop.requested:
                return Outcome()
            self._hide(held, SLOT_WAIT)
        self._hide(held, timeout)
        with answered_within(timeout):
            outcome = self._publisher.publish(batch)
        outcome.after(self._congestion.end(call, outcome.result), timeout)
        return outcome

    def _hide(self, messages: "Sequence[MessageTypeDef]", seconds: float) -> None:
        """See to it that messages stay hidden for so long, and a little longer."""
        now = self._now()
        if messages and self._hidden_until < now + seconds + VISIBILITY_MARGIN:
            hidden = seconds + self._queue.visibility_timeout
            self._receiver.change_visibility(messages, hidden)
            self._hidden_until = now + hidden

    def _dead_letter(self, refused: Refused) -> bool:
        """Dead-letter a message that the bus never takes while it takes others, again and again."""
        message = refused.row.handle
        strikes = self._strikes.setdefault(message["MessageId"], Strikes())
        if strikes.count("publish", self._accepted) < MOST_STRIKES:
            return False
        never = Unpublishable(message["Body"], refused.error)
        return bool(self._publisher.dead_letter(refused.row, never).done)

    def _delete(self, messages: "Sequence[MessageTypeDef]") -> "list[MessageTypeDef]":
        """Delete what is published; returns what is gone.

        What stays is remembered: its group waits for it to go, and it is not published again.
        """
        gone = self._receiver.delete(messages)
        self._undeleted |= {message["MessageId"] for message in messages}
        self._undeleted -= {message["MessageId"] for message in gone}
        return gone


def _row_of(message: "MessageTypeDef") -> Row:
    """A message as a row of its group, in which it is known by the message itself."""
    content = _content_of(message["Body"])
    sequence = content.sequence if isinstance(content, OutboxRecord) else 0
    return Row(_group_of(message), sequence, message, content)


def _content_of(body: str) -> OutboxRecord | Unpublishable:
    try:
        return OutboxRecord.from_json(body)
    except (MalformedRecord, EventTooLarge) as error:
        return Unpublishable(body, error)


def _group_of(message: "MessageTypeDef") -> str:
    return message["Attributes"]["MessageGroupId"]


def _all(groups: Groups) -> "list[MessageTypeDef]":
    return [message for group in groups.values() for message in group]
