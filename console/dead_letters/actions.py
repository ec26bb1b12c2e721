"""/api/dead-letters: what could not be delivered, handled or published, and what to do about it.

All of it is `streamed dlq`'s own work. Nothing is moved or deleted that was not shown in a preview,
and of that nothing that came later.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Query

from console.dead_letters.plain_words import plain
from console.dead_letters.previews import Previewed, Previews
from console.dead_letters.queue_locks import QueueLocks
from console.dead_letters.selection import MOST_MOVED, ConfirmedDrop, DeadLetterSelection
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
from operations.sources.lease import MAX_MESSAGES, Lease, Opened
from operations.sources.origins import Origin, origins
from operations.sources.peeking import Peek, open_queue, open_queues, peek

LISTED_OF_A_QUEUE = 200
"""Dead letters of each queue in the list; the rest is counted."""

REDRIVES_A_SECOND = 50.0
"""Messages a second: a consumer handles hundreds."""


class NotThere(OperatorError):
    """It is gone, or hidden."""

    def __init__(self, queue: str, message_id: str) -> None:
        super().__init__(
            f"no message or event {message_id} is visible in {queue}: it is gone, or another reader"
            " has it in flight"
        )


def router(dead_letters: "DeadLetterActions") -> APIRouter:
    """Plain functions: FastAPI runs them in its thread pool."""
    routes = APIRouter(prefix="/api/dead-letters")
    routes.get("")(dead_letters.list)
    routes.get("/trail")(dead_letters.trail)
    routes.get("/{queue}/{message_id}")(dead_letters.show)
    routes.post("/preview")(dead_letters.preview)
    routes.post("/redrive")(dead_letters.redrive)
    routes.post("/drop")(dead_letters.drop)
    return routes


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
        self._previews = Previews[tuple[str, Choice]]()

    def list(self) -> dict[str, Any]:
        queues = open_queues(self._environment)
        with self._locks.idle() as free:
            peeks = peek([each for each in queues if each.origin.dlq in free], most=self._listed)
        looked = {each.origin.dlq: each for each in peeks}
        found = [
            looked.get(each.origin.dlq) or Peek(each.origin, each.depth(), []) for each in queues
        ]
        return {"queues": [_listed(each) for each in found]}

    def show(self, queue: str, message_id: str) -> dict[str, Any]:
        """Raises NotThere as well."""
        opened = open_queue(self._environment, queue)
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

    def preview(self, wish: DeadLetterSelection) -> dict[str, Any]:
        """Show what is chosen and what a redrive would do with it. Raises NothingChosen as well."""
        queue, choice = wish.queue, wish.choice
        opened = open_queue(self._environment, queue)
        destination = opened.origin.destination
        most = self._most_moved if choice == Choice() else MAX_MESSAGES
        with self._locks.exclusive(queue), opened.lease() as lease:
            tally = plan(lease, choice, queue=queue, destination=destination, most=most)
        ends = tally.ends[: self._most_moved]
        if not ends:
            raise NothingChosen(f"nothing of {choice} is visible in {queue}: list it again")
        ids = frozenset(end.dead_letter.message_id for end in ends)
        return {
            "preview": self._previews.keep((queue, Choice(ids=ids))),
            "queue": queue,
            "destination": str(destination),
            "deadLetters": [_planned(end) for end in ends],
            "note": _note(tally, self._most_moved),
        }

    def redrive(self, previewed: Previewed) -> dict[str, Any]:
        """Send what a preview showed to where it belongs. Raises StalePreview as well."""
        with self._taken(previewed, "redrive") as (queue, choice, trail, lease):
            destination = queue.origin.destination
            tally = QueueRedrive(
                lease,
                queue=queue.origin.dlq,
                destination=destination,
                sender=sender_to(self._environment, destination, run=uuid4().hex),
                trail=trail,
                rate_limiter=RateLimiter(REDRIVES_A_SECOND),
            ).run(choice, MAX_MESSAGES)
        return _done(tally, choice)

    def drop(self, confirmed: ConfirmedDrop) -> dict[str, Any]:
        """Delete what a preview showed, for good. Raises StalePreview as well."""
        with self._taken(confirmed, "drop") as (queue, choice, trail, lease):
            tally = drop(lease, choice, queue=queue.origin.dlq, trail=trail, most=MAX_MESSAGES)
        return _done(tally, choice)

    @contextmanager
    def _taken(
        self, previewed: Previewed, operation: str
    ) -> Iterator[tuple[Opened, Choice, Trail, Lease]]:
        name, choice = self._previews.take(previewed.preview)
        queue = open_queue(self._environment, name)
        with (
            self._locks.exclusive(name),
            Trail(self._environment.audit_file, operation) as trail,
            queue.lease() as lease,
        ):
            yield queue, choice, trail, lease

    def trail(self, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> dict[str, Any]:
        """Read what was done last, by `streamed` too; bodies stay in the file."""
        file = self._environment.audit_file
        return {"file": str(file), "lines": [_audited(each) for each in newest(file, limit)]}


def _listed(peek: Peek) -> dict[str, Any]:
    return {
        "queue": peek.origin.dlq,
        "node": node_id("dead-letter queue", peek.origin.dlq),
        "belongsTo": str(peek.origin.destination),
        "visible": peek.depth.visible,
        "inFlight": peek.depth.in_flight,
        "notShown": peek.unseen,
        "deadLetters": [described(each, peek.origin) for each in peek.dead_letters],
    }


def described(dead_letter: DeadLetter, origin: Origin) -> dict[str, Any]:
    """Describe a dead letter as a list shows it: without its body, and without bank details."""
    return {
        **dead_letter.summary(),
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


def _done(tally: Tally, choice: Choice) -> dict[str, Any]:
    """Say what became of each that was shown, also of what is not there any more."""
    gone = "no longer visible: it is gone, or another reader has it in flight"
    ends = [(end.dead_letter.message_id, end.moved, end.outcome) for end in tally.ends]
    ends += [(each, False, gone) for each in choice.missing(end.dead_letter for end in tally.ends)]
    return {
        "queue": tally.queue,
        "done": tally.moved,
        "leftBehind": tally.left,
        "stopped": tally.stopped,
        "messages": [
            {"messageId": name, "done": moved, "outcome": outcome} for name, moved, outcome in ends
        ],
    }


def _audited(line: dict[str, Any]) -> dict[str, Any]:
    names = ("at", "who", "queue", "messageId", "eventId", "eventType", "outcome", "destination")
    return {"action": line.get("operation"), **{name: line.get(name) for name in names}}
