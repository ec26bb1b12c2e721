"""Congestion control: what is in flight to a service, how large a batch is, how long one waits.

Additive increase and multiplicative decrease (Chiu and Jain, 1989), with TCP's slow start and one
decrease for each round of calls (RFC 5681, RFC 6582), its retransmission timer (RFC 6298), and its
rule of what is lost: what was sent long before something that was answered (RFC 8985). A service
that accepts but answers late is not sent the same again before a late answer could have come: a
copy is work for it, and makes every later answer later.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from math import ceil, inf, ldexp, log2
from threading import Condition, Lock
from time import monotonic

from runtime.errors import Unavailable
from runtime.retry import backoff
from runtime.verdicts import Family

SHORTEST_TIMEOUT, LONGEST_TIMEOUT = 10.0, 160.0
"""Seconds for the first copy of what is sent. The longest is more than the 120 s within which an
answer still counts as one."""

TIMEOUTS = (SHORTEST_TIMEOUT, 40.0, LONGEST_TIMEOUT)
"""Seconds that the first, second and third copy wait at least; each further one twice as long. So
three copies at most are sent in the 120 s that an answer may take."""

LEAST_CALLS = 4
"""Calls that may be in flight however near the service is: while one is answered, others are made
ready."""

OVERDUE = 15.0
"""Seconds without an answer after which one call more is made than may be in flight."""

FIRST_CALLS = 20
"""Calls in flight before the first answer: with ten entries in each, even a service that takes 1.5
entries a second answers the last of them within LONGEST_TIMEOUT."""

LEAST_OF = 64
"""Answers of which the quickest says how long the way takes (the delay signal of TCP Vegas)."""

MOST_DOUBLINGS = 20
"""By then even a round trip of a millisecond has the longest timeout."""

MOST_LOST = 1000
"""Calls without an answer that a service may still work at, as far as it is remembered."""

FIRST_REFUSAL_PAUSE, LONGEST_REFUSAL_PAUSE = 0.05, 5.0
"""Seconds in which nothing is sent, after a refusal and after one refusal behind the other; so
long, at most, an event waits after an outage."""


class CallResult(Enum):
    """What a call says of the service, whatever became of each entry in it."""

    PASSED = auto()
    THROTTLED = auto()
    LOST = auto()
    """No answer came: it may have been accepted."""
    AWAY = auto()
    """Nothing was accepted, for a reason that says nothing of its load."""

    @classmethod
    def of(cls, error: Unavailable) -> "CallResult":
        if error.is_lost:
            return cls.LOST
        return cls.THROTTLED if error.family is Family.THROTTLED else cls.AWAY


@dataclass(eq=False)
class Call:
    """A call in flight: when it began, in which round, and as which of how many; in seconds."""

    started: float
    round: int
    in_flight: int


@dataclass
class RoundTrip:
    """The time that answers take, smoothed, and the timeout that follows from it (RFC 6298)."""

    first_timeout: float = LONGEST_TIMEOUT
    _smoothed: float | None = None
    _variation: float = 0.0
    _share: float = 0.0
    _doublings: int = 0
    _answers: int = 0
    _least: float = inf
    _least_before: float = inf

    def add(self, seconds: float, in_flight: int) -> None:
        """Take an answer's time in; it ends what `back_off` has doubled.

        `in_flight` are the calls that were, itself included, when its call began.
        """
        self._doublings = 0
        if self._answers % LEAST_OF == 0:
            self._least, self._least_before = inf, self._least
        self._answers += 1
        self._least = min(self._least, seconds)
        if self._smoothed is None:
            self._smoothed, self._variation = seconds, seconds / 2
            self._share = seconds / in_flight
            return
        self._share += (seconds / in_flight - self._share) / 8
        self._variation += (abs(self._smoothed - seconds) - self._variation) / 4
        self._smoothed += (seconds - self._smoothed) / 8

    @property
    def least(self) -> float:
        """Seconds of the quickest answer of late: the way alone; infinite before the first."""
        return min(self._least, self._least_before)

    def back_off(self) -> None:
        """Double the timeout, up to LONGEST_TIMEOUT: an answer did not come."""
        self._doublings = min(self._doublings + 1, MOST_DOUBLINGS)

    def is_queueing(self, seconds: float) -> bool:
        """Whether an answer took so long because of what was sent before, not of the way."""
        return seconds > OVERDUE and seconds > 2 * self.least

    def timeout(self, in_flight: int) -> float:
        """Seconds: SHORTEST_TIMEOUT doubled until it is enough, so that there are few of them.

        Enough is also twice the time in which that many calls are answered one after the other.
        """
        if self._smoothed is None:
            return self.first_timeout
        usual = (self._smoothed + 4 * self._variation) * 2**self._doublings
        usual = min(LONGEST_TIMEOUT, usual)
        enough = max(SHORTEST_TIMEOUT, usual, 2 * self._share * in_flight)
        return ldexp(SHORTEST_TIMEOUT, ceil(log2(enough / SHORTEST_TIMEOUT)))


@dataclass(eq=False)
class CongestionControl:
    """Lets calls begin one by one, up to `calls` at a time, of up to `entries` entries each.

    It begins with FIRST_CALLS, and waits `first_timeout` seconds for an answer, as long as nothing
    is known. `rate` is more calls a second than the caller can make: where answers come soon, fewer
    are let begin, by the bandwidth-delay product. Threads share one; `condition` makes what they
    wait with, `now` is the time in seconds.
    """

    calls: int
    entries: int
    rate: float | None = field(default=None, kw_only=True)
    longest_pause: float = field(default=LONGEST_REFUSAL_PAUSE, kw_only=True)
    first_timeout: float = field(default=LONGEST_TIMEOUT, kw_only=True)
    now: Callable[[], float] = field(default=monotonic, kw_only=True)
    condition: Callable[[Lock], Condition] = field(default=Condition, kw_only=True)

    def __post_init__(self) -> None:
        self._changed = self.condition(Lock())
        self._limit: float = min(self.calls, FIRST_CALLS)
        self._threshold: float = self.calls
        self._batch: float = self.entries
        self._in_flight: set[Call] = set()
        self._lost: deque[Call] = deque(maxlen=MOST_LOST)
        self._round = self._pauses = 0
        self._resumes_at = self._passed_at = -inf
        self._round_trip = RoundTrip(self.first_timeout)
        self._closed = False

    @property
    def batch(self) -> int:
        """How many entries the next call may have."""
        return int(self._batch)

    @property
    def limit(self) -> int:
        """How many calls may be in flight."""
        return int(self._limit)

    def timeout(self, copies: int) -> float:
        """Seconds to wait for an answer about what was sent `copies` times before, unanswered.

        Only copies that were waited for count: a connection that breaks says nothing of load.
        """
        last = len(TIMEOUTS) - 1
        least = ldexp(TIMEOUTS[min(copies, last)], max(0, copies - last))
        # A service that is slow still works at what was lost, before what is sent now.
        waiting = len(self._in_flight) + len(self._lost)
        return max(least, self._round_trip.timeout(waiting))

    def begin(self, *, within: float | None = None) -> Call | None:
        """Wait until a call may begin; None once it is closed, or after `within` seconds."""
        end = None if within is None else self.now() + within
        with self._changed:
            while not self._closed:
                now = self.now()
                wait = self._wait(now)
                if wait <= 0:
                    call = Call(now, self._round, len(self._in_flight) + 1)
                    self._in_flight.add(call)
                    return call
                if end is not None and now >= end:
                    return None
                self._changed.wait(wait if end is None else min(wait, end - now))
        return None

    def end(self, call: Call, result: CallResult | None, *, begins_next: bool = False) -> float:
        """Learn from a call; None: it was not made after all. Returns the seconds that it took.

        A thread that `begins_next` needs no other to be woken for the place of the call that ended.
        """
        with self._changed:
            is_counted = call in self._in_flight
            self._in_flight.discard(call)
            if result is CallResult.PASSED:
                self._grow(call)
            elif result is not None and is_counted:
                if result is CallResult.LOST:
                    self._lost.append(call)
                if call.round == self._round:
                    self._shrink(call, result)
            places = self.limit - len(self._in_flight) - begins_next
            if places > 0:
                self._changed.notify(places)
            return self.now() - call.started

    def close(self) -> None:
        """End every wait: no call begins any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait(self, now: float) -> float:
        """Seconds until another call may begin, if none ends before."""
        if now < self._resumes_at:
            return self._resumes_at - now
        if len(self._in_flight) < self.limit:
            return 0.0
        # In silence one more call, every while, finds out whether the service is back.
        last = max(self._passed_at, *(call.started for call in self._in_flight))
        return last + OVERDUE - now

    def _grow(self, call: Call) -> None:
        """Slow start up to the threshold, then one call more for each round of answers.

        Not where answers come late because so much is in flight.
        """
        later = [lost for lost in self._lost if lost.started > call.started]
        self._lost = deque(later, MOST_LOST)
        self._passed_at = now = self.now()
        took = now - call.started
        # An outage has left these behind: they no longer keep others from being made (RFC 8985).
        self._in_flight -= {
            other
            for other in self._in_flight
            if other.started < call.started and now - other.started > OVERDUE
        }
        self._round_trip.add(took, call.in_flight)
        self._pauses = 0
        if self._round_trip.is_queueing(took):
            if call.round == self._round:
                self._halve()
            return
        step = 1.0 if self._limit < self._threshold else 1 / self._limit
        self._limit = min(self._enough(), self._limit + step)
        self._batch = min(self.entries, self._batch + 1)

    def _enough(self) -> float:
        """How many calls in flight are all that can be of use."""
        if self.rate is None:
            return self.calls
        return min(self.calls, max(LEAST_CALLS, self.rate * self._round_trip.least))

    def _shrink(self, call: Call, result: CallResult) -> None:
        """Halve, once for each round of calls; in silence, go on with one call at a time."""
        is_silent = self._passed_at < call.started
        is_away = result is CallResult.AWAY
        if is_away or (result is CallResult.LOST and is_silent):
            if self._pauses == 0:
                self._threshold = self._limit if is_away else max(1.0, self._limit / 2)
            self._limit = 1.0
            self._round += 1
        else:
            self._halve()
        if not is_away:
            self._batch = max(1.0, self._batch / 2)
        if result is CallResult.LOST:
            self._round_trip.back_off()
        self._pauses += 1
        pause = backoff(self._pauses, first=FIRST_REFUSAL_PAUSE, longest=self.longest_pause)
        self._resumes_at = self.now() + pause

    def _halve(self) -> None:
        self._limit = self._threshold = max(1.0, self._limit / 2)
        self._round += 1
