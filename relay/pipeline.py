"""Publish, then delete: publishers take batches from a window, deleters what was accepted."""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from heapq import heappop, heappush
from itertools import count
from queue import Empty, SimpleQueue
from time import monotonic

import structlog

from relay.ports import RelayAdapters
from relay.publisher import Outcome, Publisher, Refused, try_delete
from relay.threads import GrowingThreads
from relay.window import Window
from runtime.aws import answered_within
from runtime.congestion import (
    LONGEST_REFUSAL_PAUSE,
    LONGEST_TIMEOUT,
    CallResult,
    CongestionControl,
)
from runtime.metrics import RelayMetrics
from runtime.outbox.rows import Row
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.retry import backoff

log = structlog.get_logger(__name__)

MAX_ROWS = 2000
MAX_BYTES = 16 * 1024 * 1024
"""Bounds of the window: enough for every publisher and deleter to be busy with full batches, and
what a kill -9 can at worst send twice."""

PUBLISHERS = 40
DELETERS = 20
"""Calls in flight, and so threads, at most: with 100 ms for each, 4,000 events a second. Slow start
reaches twice FIRST_CALLS in one round trip."""

PUBLISHES_A_SECOND = 1000
DELETES_A_SECOND = 400
"""Full calls for 10,000 events, more than one process has CPU for."""

DELETE_LINGER_SECONDS = 0.01
"""The wait of published rows for the next to be deleted with: without it, few deletes in a drain
are full."""

LONGEST_BREAK_WAIT = 300.0
"""Seconds between two copies of a row, at most, where connections break before an answer."""

PUBLISH_DEADLINE, DELETE_DEADLINE = 6.0, 9.0
"""Seconds from a stop's request for what is in flight. What has no answer by then is still in the
outbox, or has left it: at worst it is sent twice."""

CallLater = Callable[[float, Callable[[], object]], object]
"""Has something called after a delay in seconds, as asyncio's loop.call_later does."""


class Pipeline:
    """Publishes what is offered to its window, then deletes it: in that order, always."""

    def __init__(
        self,
        adapters: RelayAdapters,
        *,
        stop: Stop,
        metrics: RelayMetrics,
        window: Window | None = None,
        readiness: Readiness | None = None,
        call_later: CallLater | None = None,
        congestion: Callable[..., CongestionControl] | None = None,
        longest_wait: float = LONGEST_REFUSAL_PAUSE,
        publish_deadline: float = PUBLISH_DEADLINE,
        delete_deadline: float = DELETE_DEADLINE,
    ) -> None:
        self._outbox, self._target, self._stop = adapters.outbox, adapters.target, stop
        self._publisher = Publisher(adapters.target, adapters.dead_letters, metrics, readiness)
        self._delayed = DelayedCalls()
        self._call_later = call_later or self._delayed.call_later
        self._longest_wait = longest_wait
        self._publish_deadline, self._delete_deadline = publish_deadline, delete_deadline
        controlled = congestion or partial(CongestionControl, longest_pause=longest_wait)
        self._publishing = controlled(
            PUBLISHERS, adapters.target.limits.entries, rate=PUBLISHES_A_SECOND
        )
        self._deleting = controlled(DELETERS, adapters.outbox.max_deletes, rate=DELETES_A_SECOND)
        self._publishers = GrowingThreads("publisher", PUBLISHERS)
        self._deleters = GrowingThreads("deleter", DELETERS)
        self._tries: dict[tuple[str, int], int] = {}
        self._copies: dict[tuple[str, int], int] = {}
        # An empty window is as false as an empty list.
        self.window = Window(max_rows=MAX_ROWS, max_bytes=MAX_BYTES) if window is None else window
        self._published: SimpleQueue[Sequence[Row] | None] = SimpleQueue()
        self._undeleted: list[Row] = []
        self._lingering = threading.Lock()
        metrics.in_flight.set_function(lambda: len(self.window))
        metrics.stuck.set_function(lambda: len(self.window.stuck))

    def run(self) -> None:
        """Work until a stop is requested, then finish what is in flight."""
        self._publishers.start(self.publish_next)
        self._deleters.start(partial(self.delete_next, linger=DELETE_LINGER_SECONDS))
        threading.Thread(target=self._delayed.run, name="delayed-calls", daemon=True).start()
        self._stop.wait()
        stopped = monotonic()
        self._delayed.close()
        self.window.close()
        self._publishing.close()
        self._deleting.close()
        self._publishers.join_until(stopped + self._publish_deadline)
        self._published.put(None)
        self._deleters.join_until(stopped + self._delete_deadline)

    def publish_next(self) -> bool:
        """Wait for a batch and publish it once, when a call may begin; False once there is none.

        What was not accepted is given back to the window: a row that met an error by itself for a
        while, in which it waits with what is behind it in its aggregate. A stop leaves what has had
        a try where it is: in the outbox.
        """
        if not self.window.wait() or (call := self._publishing.begin()) is None:
            return False
        batch = self.window.take(self._target, most=self._publishing.batch, alike=self._copies_of)
        if not batch:
            self._publishing.end(call, None)
            return True
        timeout = self._publishing.timeout(self._copies_of(batch[0]))
        with self._publishers.working(), answered_within(timeout):
            outcome = self._publisher.publish(batch)
        begins_next = self.window.has_ready
        took = self._publishing.end(call, outcome.result, begins_next=begins_next)
        outcome.after(took, timeout)
        self._settle(outcome)
        return True

    def delete_next(self, *, linger: float = 0.0) -> bool:
        """Wait for published rows and delete a batch of them; False once there are no more.

        A batch that is not full waits up to `linger` seconds for each further row.
        """
        # One lingers at a time: others would have its rows, and make small calls of them.
        with self._lingering:
            found, most = self._undeleted, self._deleting.batch
            while len(found) < most:
                try:
                    more = self._published.get(timeout=linger if found else None)
                except Empty:
                    break
                if more is None:
                    self._published.put(None)  # for the others
                    break
                found += more
            batch, self._undeleted = found[:most], found[most:]
        if not batch:
            return False
        with self._deleters.working():
            self._delete(batch)
        return True

    @property
    def has_published(self) -> bool:
        """Whether there are rows to delete."""
        return bool(self._undeleted) or not self._published.empty()

    def _copies_of(self, row: Row) -> int:
        """How often a row was sent before, and no answer came in time."""
        return self._copies.get(row.key, 0)

    def _settle(self, outcome: Outcome) -> None:
        """Pass each row on by its outcome."""
        self.window.settle(outcome.done)
        for row in outcome.done:
            self._forget(row)
        if outcome.done:
            self._published.put(outcome.done)
        if outcome.stuck:
            self._leave(outcome.stuck)
        for refused in outcome.alone:
            self._put_off(refused.row)
        if outcome.is_outage or outcome.result is CallResult.THROTTLED:
            self.window.give_back(outcome.again)
        else:
            for row in outcome.again:
                self._put_off(row)
        for row in outcome.broken:
            self._put_off(row, longest=LONGEST_BREAK_WAIT)
        for row in outcome.lost:
            self._copies[row.key] = self._copies_of(row) + 1
        self.window.give_back(outcome.lost)

    def _forget(self, row: Row) -> None:
        self._tries.pop(row.key, None)
        self._copies.pop(row.key, None)

    def _put_off(self, row: Row, *, longest: float | None = None) -> None:
        """Have a row tried again later, after as long as its own tries say."""
        tries = self._tries[row.key] = self._tries.get(row.key, 0) + 1
        delay = backoff(tries, first=0.1, longest=longest or self._longest_wait)
        self._call_later(delay, partial(self.window.give_back, [row]))

    def _leave(self, stuck: Sequence[Refused]) -> None:
        """Leave rows in the outbox, for each sweep to report.

        A publisher that held one would be one fewer for others.
        """
        rows = [each.row for each in stuck]
        for each in stuck:
            self._publisher.report_stuck(each)
            self._forget(each.row)
        self.window.settle(rows)
        self.window.leave(rows)

    def _delete(self, rows: Sequence[Row]) -> None:
        """Delete until it is done. What a stop interrupts stays, and is published once more."""
        left, lost = list(rows), 0
        for attempt in count():
            if not left or (attempt and self._stop.requested):
                break
            call = self._deleting.begin()  # None from a stop on: then each has one try
            some, rest = left[: self._deleting.batch], left[self._deleting.batch :]
            # A delete that is done twice does no harm: none waits longer than the longest.
            with answered_within(min(self._deleting.timeout(lost), LONGEST_TIMEOUT)):
                deleted = try_delete(self._outbox, some)
            lost += deleted.result is CallResult.LOST
            if call is not None:
                self._deleting.end(call, deleted.result)
            left = [*deleted.left, *rest]
        if left:
            log.warning("published rows stay and will be sent again", count=len(left))
        self.window.remove(rows)


class DelayedCalls:
    """Makes calls when they are due, in one thread, however many they are."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._calls: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = count()
        self._is_closed = False

    def call_later(self, seconds: float, call: Callable[[], object]) -> None:
        with self._changed:
            heappush(self._calls, (monotonic() + seconds, next(self._numbers), call))
            self._changed.notify()

    def run(self) -> None:
        """Make each call when it is due, until it is closed; what is not due then is dropped."""
        while (call := self._next()) is not None:
            call()

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def _next(self) -> Callable[[], object] | None:
        with self._changed:
            while not self._is_closed:
                wait = self._calls[0][0] - monotonic() if self._calls else None
                if wait is not None and wait <= 0:
                    return heappop(self._calls)[2]
                self._changed.wait(wait)
        return None
