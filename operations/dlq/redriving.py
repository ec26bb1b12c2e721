"""Brings dead letters back to where they belong, or drops them: never losing one.

For each batch: send, see what was accepted, write the audit lines to the disk, then delete. Killed
between any two of these, a message is still in its dead-letter queue, or in both places; handling
it twice harms nobody.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

from operations.dlq.choice import Choice, End, Tally
from operations.dlq.outgoing import Unsendable, outgoing
from operations.dlq.pace import Pace
from operations.dlq.senders import Parcel, Sender
from operations.sources.dead_letters import DeadLetter
from operations.sources.origins import Destination
from runtime.errors import Unavailable

SENT, NOT_DELETED = "sent", "sent, but not deleted here: it will be handled twice, harmlessly"
BEHIND = "stays behind one of its aggregate that could not be sent"


class Letters(Protocol):
    """A dead-letter queue in hand: operations.sources.hold.Hold, or a test's."""

    @property
    def fifo(self) -> bool: ...
    def take(self, most: int) -> list[DeadLetter]: ...
    def renew(self) -> None: ...
    def let_go(self, message_ids: Iterable[str]) -> None: ...
    def delete(self, message_ids: Sequence[str]) -> list[str]: ...


class Lines(Protocol):
    """The audit trail: operations.dlq.trail.Trail, or a test's."""

    def line(self, letter: DeadLetter, outcome: str, **more: Any) -> dict[str, Any]: ...
    def write(self, lines: Iterable[dict[str, Any]]) -> None: ...


Told = Callable[[End], object]


def untold(_: End) -> None:
    """Nobody follows it."""


def chosen(letters: Letters, choice: Choice, tally: Tally, most: int) -> Iterator[list[DeadLetter]]:
    """Take what is in the queue, round by round, and give the chosen ones of each in order.

    What is not chosen is let go at once. A standard queue is one round. A FIFO queue gives out
    only the first of each group, so what is behind them comes in later rounds, once they have been
    deleted or let go; a group whose first ten all stay hides the rest of it.
    """
    seen: set[str] = set()
    while tally.seen < most:
        taken = letters.take(most - tally.seen)
        fresh = [letter for letter in taken if letter.message_id not in seen]
        seen |= {letter.message_id for letter in fresh}
        tally.seen = len(seen)
        tally.more = tally.seen >= most
        mine = [letter for letter in fresh if letter in choice]
        kept = {letter.message_id for letter in mine}
        letters.let_go(each.message_id for each in taken if each.message_id not in kept)
        yield mine if letters.fifo else in_sequence(mine)
        if not letters.fifo or not fresh:
            return
        letters.let_go(each.message_id for each in mine)


def in_sequence(letters: Sequence[DeadLetter]) -> list[DeadLetter]:
    """Order letters by sequence within each aggregate, and aggregates by who came first."""

    def key(letter: DeadLetter) -> tuple[float, str, int]:
        return first[letter.aggregate], letter.aggregate, letter.event.sequence or 0

    first: dict[str, float] = {}
    for letter in letters:
        sent = letter.sent_at.timestamp() if letter.sent_at else 0.0
        first[letter.aggregate] = min(first.get(letter.aggregate, sent), sent)
    return sorted(letters, key=key)


class Redrive:
    """Sends the letters of one queue to their destination, in sequence per aggregate.

    A letter that cannot be sent stays, and so do those behind it in its aggregate, unless nothing
    could ever be sent for it.
    """

    def __init__(
        self,
        letters: Letters,
        *,
        queue: str,
        destination: Destination,
        sender: Sender,
        trail: Lines,
        pace: Pace,
        told: Told = untold,
    ) -> None:
        self._letters, self._destination, self._sender = letters, destination, sender
        self._trail, self._pace, self._told = trail, pace, told
        self._blocked: set[str] = set()
        self._tally = Tally(queue)

    def run(self, choice: Choice, most: int) -> Tally:
        """Redrive what is chosen, of the first `most` letters.

        Raises Unavailable if they cannot even be received. Any later outage ends the redrive, and
        the tally says so.
        """
        for round_ in chosen(self._letters, choice, self._tally, most):
            if not self._settle_round(round_):
                break
        return self._tally

    def _settle_round(self, letters: Sequence[DeadLetter]) -> bool:
        """False if an outage ends it here."""
        parcels = self._sendable(letters)
        try:
            for batch in _batches(parcels, self._sender, self._pace.most, self._blocked):
                self._pace.pass_on(len(batch), self._letters.renew)
                self._letters.renew()
                self._settle(batch, self._sender.send(batch))
        except Unavailable as error:
            # What was under way may have arrived: it stays, and is sent again another time.
            self._tally.stopped = str(error)
        ended = {each.letter.message_id for each in self._tally.ends}
        for parcel in parcels:
            if parcel.letter.message_id not in ended:
                self._end(parcel.letter, self._tally.stopped or BEHIND)
        return self._tally.stopped is None

    def _sendable(self, letters: Sequence[DeadLetter]) -> list[Parcel]:
        parcels: list[Parcel] = []
        for letter in letters:
            try:
                parcels.append(Parcel(letter, outgoing(letter, self._destination)))
            except Unsendable as reason:
                self._trail.write([self._line(letter, f"left: {reason}")])
                self._end(letter, f"left: {reason}")
        return parcels

    def _settle(self, batch: Sequence[Parcel], answers: Sequence[str | None]) -> None:
        """Delete what was accepted, once the trail has it."""
        outcomes = [SENT if answer is None else f"refused: {answer}" for answer in answers]
        ends = [(each.letter, outcome) for each, outcome in zip(batch, outcomes, strict=True)]
        self._trail.write(self._line(letter, outcome) for letter, outcome in ends)
        accepted = [letter.message_id for letter, outcome in ends if outcome == SENT]
        stay = set(self._letters.delete(accepted))
        self._trail.write(
            self._line(letter, NOT_DELETED) for letter, _ in ends if letter.message_id in stay
        )
        for letter, outcome in ends:
            if outcome != SENT:
                self._blocked.add(letter.aggregate)
                self._end(letter, outcome)
            elif letter.message_id in stay:
                self._end(letter, NOT_DELETED)
            else:
                self._end(letter, SENT, moved=True)

    def _line(self, letter: DeadLetter, outcome: str) -> dict[str, Any]:
        return self._trail.line(letter, outcome, destination=str(self._destination))

    def _end(self, letter: DeadLetter, outcome: str, *, moved: bool = False) -> None:
        self._tally.ends.append(End(letter, moved, outcome))
        self._told(self._tally.ends[-1])


def drop(
    letters: Letters,
    choice: Choice,
    *,
    queue: str,
    trail: Lines,
    most: int,
    told: Told = untold,
) -> Tally:
    """Delete chosen letters for good, once the trail has them whole. Raises Unavailable."""
    tally = Tally(queue)
    for round_ in chosen(letters, choice, tally, most):
        for some in _tens(round_):
            letters.renew()
            trail.write(
                trail.line(each, "dropped", attributes=dict(each.attributes), body=each.body)
                for each in some
            )
            stay = set(letters.delete([each.message_id for each in some]))
            trail.write(trail.line(each, "not dropped") for each in some if each.message_id in stay)
            for each in some:
                gone = each.message_id not in stay
                outcome = "dropped" if gone else "not dropped: SQS did not delete it; try again"
                tally.ends.append(End(each, gone, outcome))
                told(tally.ends[-1])
    return tally


def _batches(
    parcels: Sequence[Parcel], sender: Sender, most: int, blocked: set[str]
) -> Iterator[list[Parcel]]:
    """Cut parcels into calls that hold at most one of each aggregate, in its order.

    A call can half-fail: what follows a refused one of its aggregate must not have gone before it.
    So `blocked` is read between calls, and what belongs to it is left out.
    """
    waiting: dict[str, list[Parcel]] = {}
    for parcel in parcels:
        waiting.setdefault(parcel.letter.aggregate, []).append(parcel)
    while waiting := {key: left for key, left in waiting.items() if left and key not in blocked}:
        heads = [(key, left[0]) for key, left in waiting.items()]
        for batch in sender.limits.cut(heads, lambda head: head[1].content.size):
            for start in range(0, len(batch), most):
                yield [parcel for _, parcel in batch[start : start + most]]
        waiting = {key: left[1:] for key, left in waiting.items()}


def _tens(letters: Sequence[DeadLetter]) -> Iterator[Sequence[DeadLetter]]:
    for start in range(0, len(letters), 10):
        yield letters[start : start + 10]
