"""Brings dead letters back to where they belong, or drops them: never losing one.

For each batch: send, see what was accepted, write the audit lines to the disk, then delete. Killed
between any two of these, a message is still in its dead-letter queue, or in both places; handling
it twice changes nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

from operations.dlq.choice import Choice, End, Tally
from operations.dlq.outgoing import Outgoing, Unsendable, outgoing_of
from operations.dlq.rate_limiter import RateLimiter
from operations.dlq.senders import Sender
from operations.dlq.trail import Trail
from operations.sources.dead_letters import DeadLetter
from operations.sources.lease import Lease
from operations.sources.origins import Destination
from runtime.aws import answered_within
from runtime.batches import in_batches
from runtime.congestion import CallResult, CongestionControl
from runtime.errors import Unavailable
from runtime.sqs.queue import MAX_BATCH

SENT, NOT_DELETED = "sent", "sent, but not deleted here: it will be handled twice, harmlessly"
BEHIND = "stays behind one of its aggregate that could not be sent"


THROTTLED_TRIES = 8
"""Of a batch that is sent too fast, over some ten seconds, before the redrive ends."""

OnOutcome = Callable[[End], object]


def ignore_outcome(_: End) -> None:
    """The default: no progress is shown."""


def chosen(lease: Lease, choice: Choice, tally: Tally, most: int) -> Iterator[list[DeadLetter]]:
    """Take what is in the queue, round by round, and give the chosen ones of each in order.

    What is not chosen is released at once. A standard queue is one round. A FIFO queue gives out
    only the first of each group, so what is behind them comes in later rounds, once they have been
    deleted or released; a group whose first ten all stay hides the rest of it.
    """
    seen: set[str] = set()
    while tally.seen < most:
        taken = lease.take(most - tally.seen)
        fresh = [dead_letter for dead_letter in taken if dead_letter.message_id not in seen]
        seen |= {dead_letter.message_id for dead_letter in fresh}
        tally.seen = len(seen)
        tally.more = tally.seen >= most
        mine = [dead_letter for dead_letter in fresh if dead_letter in choice]
        kept = {dead_letter.message_id for dead_letter in mine}
        lease.release(each.message_id for each in taken if each.message_id not in kept)
        yield mine if lease.fifo else in_sequence(mine)
        if not lease.fifo or not fresh:
            return
        lease.release(each.message_id for each in mine)


def in_sequence(dead_letters: Sequence[DeadLetter]) -> list[DeadLetter]:
    """Order dead letters by sequence within each aggregate, and aggregates by who came first."""

    def key(dead_letter: DeadLetter) -> tuple[float, str, int]:
        return first[dead_letter.aggregate], dead_letter.aggregate, dead_letter.event.sequence or 0

    first: dict[str, float] = {}
    for dead_letter in dead_letters:
        sent = dead_letter.sent_at.timestamp() if dead_letter.sent_at else 0.0
        first[dead_letter.aggregate] = min(first.get(dead_letter.aggregate, sent), sent)
    return sorted(dead_letters, key=key)


@dataclass
class QueueRedrive:
    """Sends the dead letters of one queue to their destination, in sequence per aggregate.

    A dead letter that cannot be sent stays, and so do those behind it in its aggregate, unless
    nothing could ever be sent for it.
    """

    lease: Lease
    _: KW_ONLY
    queue: str
    destination: Destination
    sender: Sender
    trail: Trail
    rate_limiter: RateLimiter
    on_outcome: OnOutcome = ignore_outcome

    def __post_init__(self) -> None:
        self._blocked: set[str] = set()
        self._tally = Tally(self.queue)
        self._congestion = CongestionControl(
            1, self.sender.limits.entries, first_timeout=self.lease.half_time
        )

    def run(self, choice: Choice, most: int) -> Tally:
        """Redrive what is chosen, of the first `most` dead letters.

        Raises Unavailable if they cannot even be received. Any later outage ends the redrive, and
        the tally says so.
        """
        for round_ in chosen(self.lease, choice, self._tally, most):
            if not self._settle_round(round_):
                break
        return self._tally

    def _settle_round(self, dead_letters: Sequence[DeadLetter]) -> bool:
        """False if an outage ends it here."""
        sendable = self._sendable(dead_letters)

        def most() -> int:
            return min(self.rate_limiter.most, self._congestion.batch)

        try:
            for batch in _batches(sendable, self.sender, most, self._blocked):
                self.rate_limiter.acquire(len(batch), self.lease.renew)
                self._settle(batch, self._send(batch))
        except Unavailable as error:
            # What was under way may have arrived: it stays, and is sent again another time.
            self._tally.stopped = str(error)
        ended = {each.dead_letter.message_id for each in self._tally.ends}
        for outgoing in sendable:
            if outgoing.dead_letter.message_id not in ended:
                self._end(outgoing.dead_letter, self._tally.stopped or BEHIND)
        return self._tally.stopped is None

    def _send(self, batch: Sequence[Outgoing]) -> Sequence[str | None]:
        """Send a batch, again where that was too fast. Raises Unavailable.

        One copy of each is sent, and its answer waited for as long as the lease holds.
        """
        attempt = 0
        while True:
            attempt += 1
            self.lease.renew()
            call = self._congestion.begin()
            assert call is not None  # noqa: S101 (it is never closed)
            result = CallResult.PASSED
            try:
                with answered_within(min(self._congestion.timeout(0), self.lease.half_time)):
                    return self.sender.send(batch)
            except Unavailable as error:
                result = CallResult.of(error)
                if result is not CallResult.THROTTLED or attempt == THROTTLED_TRIES:
                    raise
            finally:
                self._congestion.end(call, result)

    def _sendable(self, dead_letters: Sequence[DeadLetter]) -> list[Outgoing]:
        sendable: list[Outgoing] = []
        for dead_letter in dead_letters:
            try:
                sendable.append(outgoing_of(dead_letter, self.destination))
            except Unsendable as reason:
                self.trail.write([self._line(dead_letter, f"left: {reason}")])
                self._end(dead_letter, f"left: {reason}")
        return sendable

    def _settle(self, batch: Sequence[Outgoing], answers: Sequence[str | None]) -> None:
        """Delete what was accepted, once the trail has it."""
        outcomes = [SENT if answer is None else f"refused: {answer}" for answer in answers]
        ends = [(each.dead_letter, outcome) for each, outcome in zip(batch, outcomes, strict=True)]
        self.trail.write(self._line(*end) for end in ends)
        accepted = [dead_letter.message_id for dead_letter, outcome in ends if outcome == SENT]
        with answered_within(self.lease.half_time):
            stay = set(self.lease.delete(accepted))
        left = [dead_letter for dead_letter, _ in ends if dead_letter.message_id in stay]
        self.trail.write(self._line(each, NOT_DELETED) for each in left)
        for dead_letter, outcome in ends:
            if outcome != SENT:
                self._blocked.add(dead_letter.aggregate)
            self._end(dead_letter, NOT_DELETED if dead_letter.message_id in stay else outcome)

    def _line(self, dead_letter: DeadLetter, outcome: str) -> dict[str, Any]:
        return self.trail.line(dead_letter, outcome, destination=str(self.destination))

    def _end(self, dead_letter: DeadLetter, outcome: str) -> None:
        self._tally.ends.append(End(dead_letter, outcome == SENT, outcome))
        self.on_outcome(self._tally.ends[-1])


def plan(
    lease: Lease,
    choice: Choice,
    *,
    queue: str,
    destination: Destination,
    most: int,
    on_outcome: OnOutcome = ignore_outcome,
) -> Tally:
    """Say of each chosen dead letter, of the first `most`, what would become of it.

    `moved` in the tally's ends is what would be sent. The caller releases the lease.
    Raises Unavailable.
    """
    tally = Tally(queue)
    for round_ in chosen(lease, choice, tally, most):
        for dead_letter in round_:
            try:
                outgoing_of(dead_letter, destination)
                end = End(dead_letter, moved=True, outcome="would be sent")
            except Unsendable as reason:
                end = End(dead_letter, moved=False, outcome=f"would be left: {reason}")
            tally.ends.append(end)
            on_outcome(end)
    return tally


def drop(
    lease: Lease,
    choice: Choice,
    *,
    queue: str,
    trail: Trail,
    most: int,
    on_outcome: OnOutcome = ignore_outcome,
) -> Tally:
    """Delete chosen dead letters for good, once the trail has them whole. Raises Unavailable."""
    tally = Tally(queue)
    for round_ in chosen(lease, choice, tally, most):
        for some in in_batches(round_, MAX_BATCH):
            lease.renew()
            trail.write(
                trail.line(each, "dropped", attributes=dict(each.attributes), body=each.body)
                for each in some
            )
            stay = set(lease.delete([each.message_id for each in some]))
            trail.write(trail.line(each, "not dropped") for each in some if each.message_id in stay)
            for each in some:
                gone = each.message_id not in stay
                outcome = "dropped" if gone else "not dropped: SQS did not delete it; try again"
                tally.ends.append(End(each, gone, outcome))
                on_outcome(tally.ends[-1])
    return tally


def _batches(
    sendable: Sequence[Outgoing], sender: Sender, most: Callable[[], int], blocked: set[str]
) -> Iterator[list[Outgoing]]:
    """Cut dead letters into calls that hold at most one of each aggregate, in its order.

    `most` is asked before each call how many it may hold.

    A call can fail partially: what follows a refused one of its aggregate must not have gone
    before it. So `blocked` is read between calls, and what belongs to it is left out.
    """
    waiting: dict[str, list[Outgoing]] = {}
    for outgoing in sendable:
        waiting.setdefault(outgoing.dead_letter.aggregate, []).append(outgoing)
    while waiting := {key: left for key, left in waiting.items() if left and key not in blocked}:
        heads = [(key, left[0]) for key, left in waiting.items()]
        for batch in sender.limits.cut(heads, lambda head: head[1].size):
            left = [outgoing for _, outgoing in batch]
            while left:
                some = most()
                yield left[:some]
                left = left[some:]
        waiting = {key: left[1:] for key, left in waiting.items()}
