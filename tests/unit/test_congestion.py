"""Congestion control: by itself, and in a relay before buses that are slow or away."""

import threading
from collections.abc import Callable
from math import ceil, inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.pipeline import PUBLISHERS
from runtime.congestion import (
    FIRST_CALLS,
    LEAST_CALLS,
    LONGEST_TIMEOUT,
    OVERDUE,
    SHORTEST_TIMEOUT,
    TIMEOUTS,
    Call,
    CallResult,
    CongestionControl,
)
from runtime.errors import Unavailable
from runtime.eventbridge import PUT_EVENTS_LIMITS
from runtime.verdicts import Family
from tests.simulation.scheduling import Scheduler
from tests.slow_bus import Drain, ModelBus, drained
from tests.threads import ended, started
from verification.testkit.waiting import eventually

pytestmark = pytest.mark.usefixtures("quiet")

PASSED, THROTTLED, LOST, AWAY = CallResult
A_CALL = PUT_EVENTS_LIMITS.entries


class Controlled:
    """Congestion control of 32 calls, ten entries each, whose time is set by hand."""

    def __init__(self) -> None:
        self.time = 0.0
        self.control = CongestionControl(32, 10, now=lambda: self.time)

    def begin(self, within: float = 0.0) -> Call | None:
        return self.control.begin(within=within)

    def begin_all(self) -> list[Call]:
        return list(iter(self.begin, None))

    def call(self, result: CallResult, *, seconds: float = 0.01) -> None:
        """Make one call, however long it may not begin."""
        while (call := self.begin()) is None:
            self.time += 0.5
        self.time += seconds
        self.control.end(call, result)


@pytest.fixture
def controlled() -> Controlled:
    return Controlled()


def test_an_error_says_what_a_call_came_to() -> None:
    """A throttle is one of load, a missing answer may be; anything else says nothing of load."""
    assert CallResult.of(Unavailable("AWS", "slow", Family.THROTTLED)) is THROTTLED
    assert CallResult.of(Unavailable("AWS", "timeout", is_lost=True)) is LOST
    assert CallResult.of(Unavailable("AWS", "refused")) is AWAY


def test_slow_start_reaches_every_call(controlled: Controlled) -> None:
    """The first calls are FIRST_CALLS; each answer adds one."""
    calls = controlled.begin_all()
    assert len(calls) == FIRST_CALLS
    for call in calls:
        controlled.control.end(call, PASSED)
    assert len(controlled.begin_all()) == 32


@pytest.mark.parametrize("result", [THROTTLED, LOST])
def test_calls_and_batches_are_halved_once_for_each_round(
    controlled: Controlled, result: CallResult
) -> None:
    """However many calls of one round meet it; the next round halves them again."""
    for _ in range(12):
        controlled.call(PASSED)
    first = controlled.begin_all()
    assert len(first) == 32
    controlled.control.end(first.pop(), PASSED)
    for call in first:
        controlled.control.end(call, result)
    assert (controlled.control.limit, controlled.control.batch) == (16, 5)
    controlled.call(PASSED)
    controlled.call(result)
    assert (controlled.control.limit, controlled.control.batch) == (8, 3)


def test_growth_is_additive_after_a_decrease(controlled: Controlled) -> None:
    """As many answers as there are calls add one call; each answer adds an entry."""
    for _ in range(12):
        controlled.call(PASSED)
    controlled.call(THROTTLED)
    assert controlled.control.limit == 16
    for _ in range(17):
        controlled.call(PASSED)
    assert (controlled.control.limit, controlled.control.batch) == (17, 10)


def test_after_an_outage_the_rate_of_before_is_back_at_once(controlled: Controlled) -> None:
    """An outage says nothing of load: one call finds its end, and slow start follows."""
    for _ in range(12):
        controlled.call(PASSED)
    for _ in range(20):
        controlled.call(AWAY)
    assert (controlled.control.limit, controlled.control.batch) == (1, 10)
    for _ in range(31):
        controlled.call(PASSED)
    assert controlled.control.limit == 32


def test_refusals_are_followed_by_longer_and_longer_pauses(controlled: Controlled) -> None:
    """Up to `longest_pause`; an answer ends them."""
    pauses = []
    for _ in range(12):
        controlled.call(AWAY)
        paused_at = controlled.time
        while (call := controlled.begin()) is None:
            controlled.time += 0.01
        controlled.control.end(call, None)
        pauses.append(controlled.time - paused_at)
    assert pauses[0] < 0.1
    assert 2.5 <= max(pauses) <= 5.02
    controlled.call(PASSED)
    controlled.call(AWAY)
    paused_at = controlled.time
    assert controlled.begin(within=0) is None
    controlled.time = paused_at + 0.06
    assert controlled.begin(within=0) is not None


def test_in_silence_one_call_more_is_made_every_while(controlled: Controlled) -> None:
    """Answers that never come must not keep a service that is back from being found."""
    assert len(controlled.begin_all()) == FIRST_CALLS
    controlled.time += OVERDUE + 0.1
    assert len(controlled.begin_all()) == 1
    controlled.time += OVERDUE + 0.1
    assert len(controlled.begin_all()) == 1


def test_fewer_calls_are_let_begin_where_answers_come_soon() -> None:
    """No more than a rate makes of the way: the bandwidth-delay product, and LEAST_CALLS."""

    def limit_after(seconds: float) -> int:
        time = 0.0
        control = CongestionControl(64, 10, rate=1000, now=lambda: time)
        for _ in range(200):
            calls = [each for _ in range(64) if (each := control.begin(within=0))]
            time += seconds
            for call in calls:
                control.end(call, PASSED)
        return control.limit

    limits = [limit_after(each) for each in (0.0, 0.001, 0.02, 0.1)]
    assert limits == [LEAST_CALLS, 4, pytest.approx(20, abs=1), 64]


def test_what_waits_goes_on_when_a_call_ends_or_all_is_closed() -> None:
    """Threads that wait for a call to begin; none is left behind."""
    control = CongestionControl(1, 10)
    call = control.begin()
    assert call is not None
    begun: list[Call | None] = []
    waiting = [started(lambda: begun.append(control.begin())) for _ in range(2)]
    control.end(call, PASSED)
    eventually(lambda: len(begun) == 1, what="the next call")
    control.close()
    assert all(ended(thread) for thread in waiting)
    assert begun[1] is None


def test_timeouts_allow_three_copies_in_the_time_of_a_late_answer(controlled: Controlled) -> None:
    """And one more for each doubling: 10, 40, 160, 320 … seconds, once answers are quick."""
    assert controlled.control.timeout(0) == LONGEST_TIMEOUT
    for _ in range(12):
        controlled.call(PASSED)
    found = [controlled.control.timeout(copies) for copies in range(5)]
    assert found == [*TIMEOUTS, 320.0, 640.0]
    assert sum(found[:2]) < 120 < found[2]


def test_timeouts_grow_with_what_is_observed(controlled: Controlled) -> None:
    """With answers that come later, with answers that do not come, and with what is in flight."""
    for _ in range(30):
        controlled.call(PASSED, seconds=14)
    assert SHORTEST_TIMEOUT < controlled.control.timeout(0) <= 40
    before = controlled.control.timeout(0)
    controlled.call(LOST, seconds=20)
    assert controlled.control.timeout(0) >= 2 * before
    queueing = Controlled()
    first = queueing.begin()
    assert first is not None
    queueing.begin_all()
    queueing.time = 6.0
    queueing.control.end(first, PASSED)
    assert queueing.control.timeout(0) >= 2 * 6 * (FIRST_CALLS - 1)


def test_a_timeout_ends_growing(controlled: Controlled) -> None:
    """A service that is silent for a day: no call of a new row waits longer than the longest."""
    controlled.call(PASSED)
    for _ in range(5000):
        controlled.call(LOST, seconds=20)
    assert controlled.control.timeout(0) == LONGEST_TIMEOUT


# Before a bus: the rows of the benchmark "slow bus", in virtual time.


def slow(rate: float) -> Callable[[Scheduler], ModelBus]:
    return lambda scheduler: ModelBus(scheduler, rate=lambda now: rate)


def far(seconds: float) -> Callable[[Scheduler], ModelBus]:
    return lambda scheduler: ModelBus(scheduler, latency=seconds)


def holds(drain: Drain, ideal: float) -> None:
    """Every row on the bus, at most three times and hardly ever twice, in nearly the ideal time."""
    assert len(drain.copies) == drain.rows
    assert drain.most_copies <= 3
    assert drain.mean_copies <= 1.2
    assert drain.seconds <= 1.5 * ideal


@pytest.mark.parametrize("rows", [10, 200, 1000, 2000])
@pytest.mark.parametrize("rate", [10, 1.5])
def test_a_slow_bus(rate: float, rows: int) -> None:
    """It never has more before it than what was in flight: its backlog does not grow by itself."""
    drain = drained(rows, slow(rate))
    holds(drain, rows / rate)
    assert max(drain.bus.backlogs) <= PUBLISHERS * A_CALL / rate


@pytest.mark.parametrize("rows", [10, 200, 1000, 2000])
def test_a_bus_that_is_far_away(rows: int) -> None:
    """As many calls are in flight as there may be: three seconds of each are no reason for less."""
    holds(drained(rows, far(3)), ceil(rows / (PUBLISHERS * A_CALL)) * 3)


@pytest.mark.parametrize("refuses_entries", [False, True])
@pytest.mark.parametrize("burst", [10, 100])
@pytest.mark.parametrize("latency", [0.002, 0.02])
def test_a_bus_that_throttles(latency: float, burst: float, refuses_entries: bool) -> None:
    """At 100 entries a second, whole calls or entries of them."""
    drain = drained(
        2000,
        lambda scheduler: ModelBus(
            scheduler,
            latency=latency,
            throttled_at=100,
            burst=burst,
            refuses_entries=refuses_entries,
        ),
    )
    holds(drain, 2000 / 100)
    assert drain.most_copies == 1


@pytest.mark.parametrize(("since", "rows"), [(0, 10), (0, 2000), (5, 2000)])
def test_a_bus_that_is_away_for_a_minute(since: float, rows: int) -> None:
    """Nothing is sent twice, and it is found again within seconds."""
    drain = drained(
        rows,
        lambda scheduler: ModelBus(scheduler, rate=lambda now: 100, away=(since, since + 60)),
    )
    holds(drain, 60 + rows / 100)
    assert drain.most_copies == 1


@pytest.mark.parametrize("minutes", [1, 10, 120])
def test_a_bus_that_is_silent(minutes: float) -> None:
    """It takes nothing and says nothing: 30 s after its end all is on its way again.

    But for the calls that found that out, one every while: no answer to them will come.
    """
    end = 5 + 60 * minutes
    drain = drained(
        2000,
        lambda scheduler: ModelBus(scheduler, rate=lambda now: 100, silent=(5, end)),
    )
    holds(drain, end - 5 + 2000 / 100)
    stuck = ceil(LONGEST_TIMEOUT / OVERDUE) * A_CALL
    assert drain.left_at(end + 30 + (2000 - 500) / 100) <= (stuck if minutes > 1 else 0)
    assert drain.seconds <= end + LONGEST_TIMEOUT + 15


@pytest.mark.parametrize("rate", [10, 1.5, 0.3])
def test_a_bus_that_becomes_slow(rate: float) -> None:
    """With all calls in flight that a quick bus takes: none of their rows is sent four times."""
    drain = drained(
        2000,
        lambda scheduler: ModelBus(scheduler, rate=lambda now: 1000 if now < 1 else rate),
    )
    assert drain.most_copies <= 3
    assert drain.mean_copies <= 1.4


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 400),
    latency=st.floats(0.001, 119),
    rate=st.one_of(st.just(inf), st.floats(2, 1000)),
    slower_at=st.floats(0, 30),
    away=st.floats(0, 120),
)
def test_a_bus_that_answers_within_two_minutes_takes_each_row_three_times_at_most(
    rows: int, latency: float, rate: float, slower_at: float, away: float
) -> None:
    """Whatever its pace, and however it changes: and no row is given up."""
    drain = drained(
        rows,
        lambda scheduler: ModelBus(
            scheduler,
            latency=latency,
            rate=lambda now: inf if now < slower_at else rate,
            away=(slower_at, slower_at + away),
        ),
    )
    assert len(drain.copies) == rows
    assert drain.most_copies <= 3


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(1, 60), latency=st.floats(200, 5000))
def test_a_bus_that_answers_later_gets_a_copy_more_for_each_doubling(
    rows: int, latency: float
) -> None:
    """No row is given up, and copies grow with the logarithm of the time alone."""
    drain = drained(rows, far(latency))
    assert len(drain.copies) == rows
    waits = [TIMEOUTS[-1] * 2**n for n in range(20)]
    assert drain.most_copies <= 3 + sum(wait < latency for wait in waits)


def test_threads_share_what_may_be_in_flight() -> None:
    """However many threads: never more calls at a time than the limit says."""
    control = CongestionControl(4, 10)
    lock, in_flight, most = threading.Lock(), 0, 0

    def work() -> None:
        nonlocal in_flight, most
        for _ in range(50):
            call = control.begin()
            assert call is not None
            with lock:
                in_flight += 1
                most = max(most, in_flight)
            with lock:
                in_flight -= 1
            control.end(call, PASSED)

    threads = [started(work) for _ in range(12)]
    assert all(ended(thread) for thread in threads)
    assert 1 <= most <= 4
