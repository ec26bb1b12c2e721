"""The highest rate of arrivals at which the backlog does not grow."""

import sys
import time
from collections.abc import Callable
from statistics import linear_regression

from verification.benchmarks.journeys import MEASURED_EFFECTS, Travels, travel
from verification.benchmarks.lines import Series
from verification.benchmarks.whole_system import WholeSystem

BURST_CUSTOMERS = 300
"""Customers who come at once for the first guess."""

STEP = 1.2
"""Between two rates that are tried: the answer is as fine as this."""

TRIALS = 3
OUTSTANDING_GROWTH = 0.02
"""Of the effects that are due each second, the share by which what is outstanding may grow: a
rate that is too high by a tenth grows by a tenth."""

SETTLES_WITHIN = 240.0


class NeverSteady(Exception):
    """At every rate that was tried the backlog grew."""


def highest_rate(system: WholeSystem, seconds: float) -> Series:
    """Try rates for `seconds` each; the highest that held. Raises NeverSteady."""
    found = search(_burst(system), lambda rate: _holds(system, rate, seconds))
    return Series("system", (found,))


def search(guess: float, holds: Callable[[float], bool]) -> float:
    """Go up from a rate that holds and down from one that does not, until both are known.

    At most TRIALS are made. Raises NeverSteady.
    """
    rate, held, failed = guess, list[float](), list[float]()
    while len(held) + len(failed) < TRIALS and not (held and failed):
        is_steady = holds(rate)
        (held if is_steady else failed).append(rate)
        rate = rate * STEP if is_steady else rate / STEP
    if not held:
        raise NeverSteady(f"not even {min(failed):.0f} customers/s")
    return max(held)


def _burst(system: WholeSystem) -> float:
    """Customers a second that a backlog is worked off with."""
    started = time.monotonic()
    journeys = travel(system, rate=BURST_CUSTOMERS, seconds=1)
    journeys.wait(within=SETTLES_WITHIN)
    return len(journeys.led_to("allocated")) / (time.monotonic() - started)


def _holds(system: WholeSystem, rate: float, seconds: float) -> bool:
    started = time.time()
    journeys = travel(system, rate=rate, seconds=seconds)
    journeys.wait(within=SETTLES_WITHIN)
    effects_a_second = rate * len(MEASURED_EFFECTS)
    grew = growth(journeys, started + seconds * 0.2, started + seconds)
    share, settled = grew / effects_a_second, time.time() - started - seconds
    said = f"{rate:.1f} customers/s: outstanding grew by {share:.1%}, settled after {settled:.0f} s"
    print(f"         {said}", file=sys.stderr, flush=True)
    return share <= OUTSTANDING_GROWTH


def growth(journeys: Travels, start: float, end: float) -> float:
    """Effects by which what is outstanding grew a second, fitted through the window's seconds."""
    moments = [start + second for second in range(int(end - start) + 1)]
    return linear_regression(moments, [journeys.outstanding(at) for at in moments]).slope
