"""What can be done with dead letters from the console: all of it is `streamed dlq`'s own work.

Nothing is moved or deleted that was not shown in a preview, and of that nothing that came later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from console.dead_letters.plain_words import plain
from console.dead_letters.previews import Previews
from console.dead_letters.queue_locks import QueueLocks
from contracts.timestamps import format_timestamp
from infra.graph import node_id
from operations.dlq.choice import Choice, End, Tally
from operations.dlq.rate_limiter import RateLimiter
from operations.dlq.redriving import QueueRedrive, drop, plan
from operations.dlq.senders import sender_to
from operations.dlq.trail import Trail, newest
from operations.environment import Environment
from operations.errors import NothingChosen, OperatorError
from operations.sources.dead_letters import DeadLetter
from operations.sources.lease import MAX_MESSAGES
from operations.sources.origins import Origin, origins
from operations.sources.peeking import open_queues, peek

LISTED_OF_A_QUEUE = 200
"""Dead letters of each queue in the list; the rest is counted."""

MOST_MOVED = 1_000
"""Dead letters in one preview, and so in one redrive or drop: less than half a minute's work."""

REDRIVES_A_SECOND = 50.0
"""Messages a second: a consumer handles hundreds."""


class NotThere(OperatorError):
    """It is gone, or hidden."""

    def __init__(self, queue: str, message_id: str) -> None:
        super().__init__(
            f"no message or event {message_id} is visible in {queue}: it is gone, or another reader"
            " has it in flight"
        )


@dataclass(frozen=True)
class Shown:
    """What a preview showed of a queue."""

    queue: str
    message_ids: frozenset[str]


class DeadLetterActions:
    """Methods block, for seconds where there is much: they belong into a thread pool.

    Each raises Unavailable, Misconfigured and OperatorError.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        listed: int = LISTED_OF_A_QUEUE,
        most_moved: int = MOST_MOVED,
    ) -> None:
        self._environment, self._listed, self._most_moved = environment, listed, most_moved
        self._origins = origins(environment.topology, environment.workloads)
        self._locks = QueueLocks(self._origins)
        self._previews = Previews[Shown]()

    def list(self) -> dict[str, Any]:
        queues = open_queues(self._environment, None)
        with self._locks.idle() as free:
            peeks = peek([each for each in queues if each.origin.dlq in free], most=self._listed)
        looked = {each.origin.dlq: each for each in peeks}
        found: list[dict[str, Any]] = []
        for queue in queues:
            seen = looked.get(queue.origin.dlq)
            depth = seen.depth if seen else queue.depth()
            found.append(
                {
                    "queue": queue.origin.dlq,
                    "node": node_id("dead-letter queue", queue.origin.dlq),
                    "belongsTo": str(queue.origin.destination),
                    "visible": depth.visible,
                    "inFlight": depth.in_flight,
                    "notShown": seen.unseen if seen else depth.total,
                    "deadLetters": [described(each, queue.origin) for each in seen.dead_letters]
                    if seen
                    else [],
                }
            )
        return {"queues": found}

    def show(self, queue: str, message_id: str) -> dict[str, Any]:
        """Raises NotThere as well."""
        (opened,) = open_queues(self._environment, queue)
        with self._locks.exclusive(queue):
            (looked,) = peek([opened], most=MAX_MESSAGES)
        for dead_letter in looked.dead_letters:
            if dead_letter.is_called(message_id):
                return {
                    **described(dead_letter, opened.origin),
                    "attributes": dict(dead_letter.facts(reveal=False)),
                    "body": dead_letter.text(reveal=False),
                }
        raise NotThere(queue, message_id)

    def preview(self, queue: str, choice: Choice) -> dict[str, Any]:
        """Show what is chosen and what a redrive would do with it. Raises NothingChosen as well."""
        (opened,) = open_queues(self._environment, queue)
        destination = opened.origin.destination
        most = self._most_moved if choice == Choice() else MAX_MESSAGES
        with self._locks.exclusive(queue), opened.lease() as lease:
            tally = plan(lease, choice, queue=queue, destination=destination, most=most)
        ends = tally.ends[: self._most_moved]
        if not ends:
            raise NothingChosen(f"nothing of {choice} is visible in {queue}: list it again")
        ids = frozenset(end.dead_letter.message_id for end in ends)
        return {
            "preview": self._previews.keep(Shown(queue, ids)),
            "queue": queue,
            "destination": str(destination),
            "deadLetters": [_planned(end) for end in ends],
            "note": _note(tally, self._most_moved),
        }

    def redrive(self, preview: str) -> dict[str, Any]:
        """Send what a preview showed to where it belongs. Raises StalePreview as well."""
        shown = self._previews.take(preview)
        (opened,) = open_queues(self._environment, shown.queue)
        origin = opened.origin
        sender = sender_to(self._environment, origin.destination, run=uuid4().hex)
        with (
            self._locks.exclusive(shown.queue),
            Trail(self._environment.audit_file, "redrive") as trail,
            opened.lease() as lease,
        ):
            tally = QueueRedrive(
                lease,
                queue=shown.queue,
                destination=origin.destination,
                sender=sender,
                trail=trail,
                rate_limiter=RateLimiter(REDRIVES_A_SECOND),
            ).run(Choice(ids=shown.message_ids), MAX_MESSAGES)
        return _done(tally, shown)

    def drop(self, preview: str) -> dict[str, Any]:
        """Delete what a preview showed, for good. Raises StalePreview as well."""
        shown = self._previews.take(preview)
        (opened,) = open_queues(self._environment, shown.queue)
        with (
            self._locks.exclusive(shown.queue),
            Trail(self._environment.audit_file, "drop") as trail,
            opened.lease() as lease,
        ):
            tally = drop(
                lease,
                Choice(ids=shown.message_ids),
                queue=shown.queue,
                trail=trail,
                most=MAX_MESSAGES,
            )
        return _done(tally, shown)

    def trail(self, most: int) -> dict[str, Any]:
        """Read what was done last, by `streamed` too; bodies stay in the file."""
        file = self._environment.audit_file
        return {"file": str(file), "lines": [_audited(each) for each in newest(file, most)]}


def described(dead_letter: DeadLetter, origin: Origin) -> dict[str, Any]:
    """Describe a dead letter as a list shows it: without its body, and without bank details."""
    summary = dead_letter.summary()
    return {
        **summary,
        "sentAt": format_timestamp(dead_letter.sent_at) if dead_letter.sent_at else None,
        "receives": dead_letter.receives,
        "plain": plain(dead_letter, origin),
    }


def _planned(end: End) -> dict[str, Any]:
    return {
        "messageId": end.dead_letter.message_id,
        "eventId": end.dead_letter.event.event_id,
        "eventType": end.dead_letter.event.event_type,
        "outcome": end.outcome,
        "willBeSent": end.moved,
    }


def _note(tally: Tally, most: int) -> str | None:
    if tally.more or len(tally.ends) > most:
        return f"There may be more: at most {most:,} are moved at once. Repeat it for the rest."
    return None


def _done(tally: Tally, shown: Shown) -> dict[str, Any]:
    """Say what became of each that was shown, also of what is not there any more."""
    ended = {end.dead_letter.message_id for end in tally.ends}
    gone: Sequence[dict[str, Any]] = [
        {
            "messageId": each,
            "done": False,
            "outcome": "no longer visible: it is gone, or another reader has it in flight",
        }
        for each in sorted(shown.message_ids - ended)
    ]
    messages = [
        {"messageId": end.dead_letter.message_id, "done": end.moved, "outcome": end.outcome}
        for end in tally.ends
    ]
    return {
        "queue": tally.queue,
        "done": tally.moved,
        "leftBehind": tally.left,
        "stopped": tally.stopped,
        "messages": [*messages, *gone],
    }


def _audited(line: dict[str, Any]) -> dict[str, Any]:
    names = ("at", "who", "queue", "messageId", "eventId", "eventType", "outcome", "destination")
    return {"action": line.get("operation"), **{name: line.get(name) for name in names}}
