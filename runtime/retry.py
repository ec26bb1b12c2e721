"""What to do with work that failed: a pure decision. Something else carries it out."""

import random
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field

from runtime.errors import Conflict, Unavailable

FIRST_DELAY = 1.0
LONGEST_DELAY = 300.0
"""Seconds. A message that fails for an unknown reason is tried over a few minutes, not hours."""

UNKNOWN_STRIKES = 5
"""Strikes before an error that is in no list is taken for the work's own."""

UNKNOWN_FIRST_DELAY = 10.0
"""Seconds. It may be an outage of one key or partition: the five receives last some minutes."""


@dataclass(frozen=True)
class Hold:
    """A dependency is away: keep the work, wait `delay` seconds, do the same again."""

    delay: float


@dataclass(frozen=True)
class BackOff:
    """Unknown reason: put the work back, unseen for `delay` seconds."""

    delay: float


@dataclass(frozen=True)
class MoveToDeadLetters:
    """It can never succeed, or has had its tries: set it aside with the reason."""


Decision = Hold | BackOff | MoveToDeadLetters


@dataclass
class Strikes:
    """How often a call has failed for one piece of work while it passed for others."""

    total: int = 0
    _passed: dict[Hashable, int] = field(default_factory=dict)
    _overcome: dict[Hashable, int] = field(default_factory=dict)

    @property
    def calls(self) -> Collection[Hashable]:
        """Those that have failed."""
        return self._passed.keys()

    def count(self, call: Hashable, passed: int, overcome: int = 0) -> int:
        """Count a failed try of a call that has `passed` that often for others; the total.

        A try is a strike if the call has passed since the try before it. `overcome` is how often it
        has passed for others for which it had failed likewise: if one more has, the error is one
        that passes, as an overload's does, and it speaks against no work. The count begins again.
        """
        if overcome > self._overcome.get(call, overcome):
            self.total = 0
        else:
            self.total += passed > self._passed.get(call, passed)
        self._passed[call], self._overcome[call] = passed, overcome
        return self.total


def backoff(attempt: int, *, first: float = FIRST_DELAY, longest: float = LONGEST_DELAY) -> float:
    """Seconds before try `attempt` + 1: doubling, capped, the upper half of it left to chance."""
    ceiling: float = min(longest, first * 2 ** min(attempt - 1, 30))
    return ceiling * random.uniform(0.5, 1.0)  # noqa: S311 (jitter, not a secret)


def decide(
    error: Exception,
    *,
    attempt: int,
    receives: int,
    max_receives: int,
    is_permanent: Callable[[Exception], bool],
    strikes: int = 0,
) -> Decision:
    """Decide what is done about a failure.

    `attempt` counts tries in this process since the message was received, `receives` counts how
    often the queue has handed it out, `max_receives` is the queue's own limit. Outages are held
    rather than put back, because a queue counts every receive and would bury good messages.

    So is an error of a dependency that is in no list, until UNKNOWN_STRIKES: after each of those
    tries the same call has passed for another message, and failed for this one again. Then it is
    this message that is wrong, unless others have met that error and got over it meanwhile: so they
    do when a server is overloaded, and refuses some with a code that is not known here.
    """
    if is_permanent(error):
        return MoveToDeadLetters()
    is_unknown = isinstance(error, Unavailable) and error.is_unknown
    is_the_works = is_unknown and strikes >= UNKNOWN_STRIKES
    if isinstance(error, Unavailable | Conflict) and not is_the_works:
        return Hold(backoff(attempt, first=0.1, longest=15))
    if receives >= max_receives:
        return MoveToDeadLetters()
    return BackOff(backoff(receives, first=UNKNOWN_FIRST_DELAY if is_unknown else FIRST_DELAY))
