"""The engine of the daemons: publishers take batches from a window, deleters clear the rows."""

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic

import structlog

from relay.clearing import clear
from relay.later import Later
from relay.ports import DeadLetters, Target
from relay.publisher import Publisher
from relay.window import Window
from runtime.metrics import RelayMetrics
from runtime.outbox.ports import Outbox
from runtime.outbox.rows import Row
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.retry import backoff

log = structlog.get_logger(__name__)

MAX_ROWS = 2000
MAX_BYTES = 16 * 1024 * 1024
"""Bounds of the window: enough for every publisher and deleter to be busy with full batches, and
what a kill -9 can at worst send twice."""

PUBLISHERS = 32
DELETERS = 16
GATHERS = 0.01
"""Seconds that published rows wait for the next to be deleted with: without it, sixteen deleters
took 0.17 calls for an event in a drain, where full calls are 0.14."""

LONGEST_WAIT = 5.0
"""Seconds between tries in an outage; so long, at most, an event waits after its end."""

PUBLISHED_WITHIN, DELETED_WITHIN = 6.0, 9.0
"""Seconds from a stop's request for what is in flight. What has no answer by then is still in the
outbox, or has left it: at worst it is sent twice."""


class Engine:
    """Publishes what is offered to its window, then deletes it: in that order, always."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        target: Target,
        dead_letters: DeadLetters,
        stop: Stop,
        metrics: RelayMetrics,
        window: Window | None = None,
        readiness: Readiness | None = None,
        later: Callable[[float, Callable[[], object]], object] | None = None,
    ) -> None:
        self._outbox, self._target, self._stop = outbox, target, stop
        self._publisher = Publisher(target, dead_letters, metrics, readiness)
        self._own_later = Later()
        self._later = later or self._own_later
        self._tries: dict[tuple[str, int], int] = {}
        # An empty window is as false as an empty list.
        self.window = Window(max_rows=MAX_ROWS, max_bytes=MAX_BYTES) if window is None else window
        self._published: SimpleQueue[Row | None] = SimpleQueue()
        self._gathering = threading.Lock()
        metrics.in_flight.set_function(lambda: len(self.window))
        metrics.stuck.set_function(lambda: len(self.window.stuck))

    def run(self) -> None:
        """Work until a stop is requested, then finish what is in flight."""
        publishers = _threads("publisher", PUBLISHERS, self._publish_batches)
        deleters = _threads("deleter", DELETERS, self._delete_batches)
        _threads("later", 1, self._own_later.run)
        self._stop.wait()
        stopped = monotonic()
        self._own_later.close()
        self.window.close()
        _join(publishers, stopped + PUBLISHED_WITHIN)
        for _ in deleters:
            self._published.put(None)
        _join(deleters, stopped + DELETED_WITHIN)

    def publish_next(self) -> bool:
        """Wait for a batch and publish it, however long that takes; False once there is none.

        A row that met an error of its own, perhaps, is given back to the window for a while: it
        waits there, with what is behind it in its aggregate, and no publisher waits for it. A stop
        leaves what has had a try where it is: in the outbox.
        """
        batch = self.window.take(self._target)
        if not batch:
            return False
        attempt = 0
        while batch and not (attempt and self._stop.requested):
            attempt += 1
            outcome = self._publisher.publish(batch)
            self._done(outcome.done)
            if outcome.stuck:
                self._leave(outcome.stuck)
            if outcome.alone:
                self._put_off(outcome.alone)
            batch = outcome.again
            if batch:
                self._stop.wait(backoff(attempt, first=0.1, longest=LONGEST_WAIT))
        return True

    def delete_next(self, *, gathers: float = 0.0) -> bool:
        """Wait for published rows and delete a batch of them; False once there are no more.

        A batch that is not full waits so many seconds for each further row.
        """
        # One gathers at a time: others would have its rows, and make small calls of them.
        with self._gathering:
            row = self._published.get()
            if row is None:
                return False
            batch = [row]
            while len(batch) < self._outbox.max_deletes:
                try:
                    more = self._published.get(timeout=gathers)
                except Empty:
                    break
                if more is None:
                    self._published.put(None)
                    break
                batch.append(more)
        self._delete(batch)
        return True

    def _publish_batches(self) -> None:
        while self.publish_next():
            pass

    def _delete_batches(self) -> None:
        while self.delete_next(gathers=GATHERS):
            pass

    def _done(self, rows: Sequence[Row]) -> None:
        self.window.settle(rows)
        for row in rows:
            self._tries.pop(row.key, None)
            self._published.put(row)

    def _put_off(self, rows: Sequence[Row]) -> None:
        """Have rows tried again later, each after as long as its own tries say."""
        for row in rows:
            tries = self._tries[row.key] = self._tries.get(row.key, 0) + 1
            delay = backoff(tries, first=0.1, longest=LONGEST_WAIT)
            self._later(delay, partial(self.window.give_back, [row]))

    def _leave(self, rows: Sequence[Row]) -> None:
        """Leave rows in the outbox, for each sweep to complain about.

        A publisher that held one would be one fewer for others.
        """
        for row in rows:
            self._tries.pop(row.key, None)
        self.window.settle(rows)
        self.window.leave(rows)

    def _delete(self, rows: Sequence[Row]) -> None:
        """Delete until it is done. What a stop interrupts stays, and is published once more."""
        left, attempt = rows, 0
        while left and not (attempt and self._stop.requested):
            attempt += 1
            left = clear(self._outbox, left)
            if left:
                self._stop.wait(backoff(attempt, first=0.05, longest=LONGEST_WAIT))
        if left:
            log.warning("published rows stay and will be sent again", count=len(left))
        self.window.remove(rows)


def _threads(name: str, count: int, work: Callable[[], None]) -> list[threading.Thread]:
    """Start threads that do not keep the process alive if an answer of AWS's never comes."""
    threads = [threading.Thread(target=work, name=f"{name}-{i}", daemon=True) for i in range(count)]
    for thread in threads:
        thread.start()
    return threads


def _join(threads: Iterable[threading.Thread], deadline: float) -> None:
    for thread in threads:
        thread.join(max(0.0, deadline - monotonic()))
