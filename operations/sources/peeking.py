"""Looks into dead-letter queues and leaves them as they were."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from operations.environment import Environment
from operations.errors import NoSuchName
from operations.sources.dead_letters import DeadLetter
from operations.sources.depths import Depth
from operations.sources.lease import Opened
from operations.sources.origins import Origin, origins
from runtime.sqs.queue import find_url

PEEK_THREADS = 12
"""Queues looked into together: on AWS the last, empty answer of each takes a second."""


@dataclass(frozen=True)
class Peek:
    """What was seen of a queue that has `depth` messages, leased or not."""

    origin: Origin
    depth: Depth
    dead_letters: Sequence[DeadLetter]

    @property
    def unseen(self) -> int:
        return max(0, self.depth.total - len(self.dead_letters))

    def document(self) -> dict[str, Any]:
        return {
            "queue": self.origin.dlq,
            "belongsTo": str(self.origin.destination),
            "visible": self.depth.visible,
            "inFlight": self.depth.in_flight,
            "notShown": self.unseen,
            "messages": [dead_letter.summary() for dead_letter in self.dead_letters],
        }


def open_queues(environment: Environment) -> list[Opened]:
    """Find every dead-letter queue. Raises Misconfigured, Unavailable."""
    known = origins(environment.topology, environment.workloads)
    return [_open(environment, each) for each in known.values()]


def open_queue(environment: Environment, name: str) -> Opened:
    """Find one dead-letter queue. Raises NoSuchName, Misconfigured, Unavailable."""
    known = origins(environment.topology, environment.workloads)
    if name not in known:
        raise NoSuchName("dead-letter queue", name, known)
    return _open(environment, known[name])


def _open(environment: Environment, origin: Origin) -> Opened:
    sqs = environment.aws(origin.domain).client("sqs")
    # An emulator's short poll sees every message; AWS's asks only some of its servers.
    wait_seconds = 0 if environment.emulated else 1
    return Opened(origin, sqs, find_url(sqs, origin.dlq), wait_seconds, environment.hold_seconds)


def peek(queues: Sequence[Opened], *, most: int) -> list[Peek]:
    """Look at up to `most` messages of each queue; all are visible again when this returns.

    Only their receive counts show that they were read, and a dead-letter queue has no use for
    those. Raises Unavailable.
    """
    with ThreadPoolExecutor(PEEK_THREADS, thread_name_prefix="peek") as pool:
        return list(pool.map(lambda each: _peek(each, most), queues))


def _peek(queue: Opened, most: int) -> Peek:
    depth = queue.depth()
    with queue.lease() as held:
        dead_letters = held.take(most)
    return Peek(queue.origin, depth, dead_letters)
