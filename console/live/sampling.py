"""How much of what the buses carry the console looks at: all, or the events of every nth aggregate.

A tap costs a delivery for each event, and a person cannot see more than some a second. So the
rules of the taps keep the events whose aggregateId ends in certain hexadecimal digits: ids are
random there, and what is kept of one journey is all of it, on every bus. Counts are multiplied. An
event without such an id is not shown while it is so. Pure, but for the clock that is passed in.
"""

from typing import Any

from infra.resources import EventPattern

LEVELS = (1, 4, 16, 64, 256)
"""Of how many aggregates one is shown; each level's are among those of the one before."""

MOST_EVENTS_A_SECOND = 60.0
"""Events a second and bus that the console reads; beyond, it looks at fewer."""

CALM = 30.0
"""Events a second and bus that it would read one level down, before it looks at more again."""

CALM_FOR = 5.0
"""Seconds that it has to stay calm."""

LATE = 2.0
"""Seconds behind the bus at which a tap looks at fewer: it cannot read all, whatever it counted."""

LAG_PATIENCE = 3.0
"""Seconds that a change has to show in how far behind the taps are."""

TOO_LATE = 10.0
"""Seconds behind the bus from which on what a tap holds is thrown away: the map is live."""

_DIGITS = {
    1: ("",),
    4: ("0", "4", "8", "c"),
    16: ("0",),
    64: ("00", "40", "80", "c0"),
    256: ("00",),
}


def is_shown(aggregate_id: str, every_nth: int) -> bool:
    return aggregate_id.endswith(_DIGITS[every_nth])


def pattern(every_nth: int) -> dict[str, Any]:
    """The event pattern of a tap's rule."""
    if every_nth == 1:
        return dict(EventPattern().as_json())
    suffixes = [{"suffix": digits} for digits in _DIGITS[every_nth]]
    return {"detail": {"metadata": {"aggregateId": suffixes}}}


class Sampler:
    def __init__(self) -> None:
        self.every_nth = 1
        self._calm_since: float | None = None
        self._changed = float("-inf")

    def decide(self, rate: float, behind: float, now: float) -> int:
        """Choose a level for a rate (events a second) on the busiest bus; times in seconds."""
        needed = next((each for each in LEVELS if rate / each <= MOST_EVENTS_A_SECOND), LEVELS[-1])
        if behind > LATE and now - self._changed >= LAG_PATIENCE:
            needed = max(needed, self._one(up=True))
        if needed > self.every_nth:
            self.every_nth, self._calm_since, self._changed = needed, None, now
        elif self.every_nth > 1 and rate / self._one(up=False) <= CALM and behind < LATE / 2:
            self._calm_since = now if self._calm_since is None else self._calm_since
            if now - self._calm_since >= CALM_FOR:
                self.every_nth, self._calm_since = self._one(up=False), None
                self._changed = now
        else:
            self._calm_since = None
        return self.every_nth

    def _one(self, *, up: bool) -> int:
        position = LEVELS.index(self.every_nth) + (1 if up else -1)
        return LEVELS[max(0, min(position, len(LEVELS) - 1))]


def sentence(every_nth: int, rate: float, left_out: int) -> str | None:
    """Say what is not shown; None if that is nothing.

    `rate` is of all buses together, `left_out` what was discarded in the last ten seconds.
    """
    said: list[str] = []
    if every_nth > 1:
        said.append(
            f"1 of {every_nth} events is shown: the buses carry about {_round(rate):,} a second"
        )
    if left_out:
        said.append(f"{left_out:,} events were left out just now: the console came too late")
    return "; ".join(said) or None


def _round(rate: float) -> int:
    return int(rate) if rate < 100 else int(round(rate, -1))  # noqa: PLR2004
