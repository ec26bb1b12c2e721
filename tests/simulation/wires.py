"""The wires between processes and services: each call waits its turn and meets its fate.

A call can fail before it had an effect or after, by half, late, or with the death of the caller on
either side. What is at the other end knows nothing of that.
"""

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from runtime.errors import Unavailable
from tests.simulation.fates import Choices, Fate, Kind
from tests.simulation.processes import Process
from tests.simulation.scheduling import Killed, Scheduler
from tests.simulation.telling import Story

T = TypeVar("T")

LATENCY = 0.002
"""Seconds that a call takes if nothing befalls it."""

LONGEST_CALL = 4.0
"""Seconds that a slow call takes at most: past 5 s a client gives up."""

LONGEST_STALL = 60.0
"""Seconds for which a caller may stand still: twice a visibility timeout or a sweep's age."""

LONGEST_RESTART = 40.0

ANY_CALL = (
    Kind.AWAY,
    Kind.THROTTLED,
    Kind.SLOW,
    Kind.STALLED,
    Kind.LATE_ANSWER,
    Kind.CRASH_BEFORE,
    Kind.CRASH_AFTER,
)
WRITE = (*ANY_CALL, Kind.LOST_ANSWER)
BATCH = (*WRITE, Kind.HALF_FAILED)
STREAM_READ = (*ANY_CALL, Kind.LOST_PLACE)


class Weather:
    """What all wires of a history share: its choices and its outages."""

    def __init__(self, scheduler: Scheduler, choices: Choices, story: Story) -> None:
        self.scheduler, self.choices, self.story = scheduler, choices, story
        self.fate = choices.next
        self.away: dict[str, Kind] = {}
        """Services that are not to be reached for now, and how that looks."""


class Wire:
    """From one process to one service. `aws`: its errors are botocore's, else they are ours."""

    def __init__(self, weather: Weather, process: Process, service: str, *, aws: bool) -> None:
        self._weather, self._scheduler = weather, weather.scheduler
        self._process, self._service, self._aws = process, service, aws
        self._life = process.life
        self._who: dict[str, str] = {}

    def call(
        self,
        operation: str,
        effect: Callable[[], T],
        possible: tuple[Kind, ...] = WRITE,
        *,
        half: Callable[[float], T] | None = None,
    ) -> T:
        """Let an effect happen, or not; `half` is what happens where a batch fails in part."""
        process, weather = self._process, self._weather
        if not process.is_up or process.life != self._life:
            raise Killed
        who = self._who.get(operation)
        if who is None:
            who = self._who[operation] = f"{process.name}: {operation}"
        fate = weather.fate(who, possible)
        away = weather.away.get(self._service)
        if fate is None and away is None:
            self._scheduler.sleep(LATENCY)
            return effect()
        if fate is None:
            fate = Fate(away or Kind.AWAY, 0.0)
        elif weather.story.is_told:
            weather.story.tell(process.name, f"{operation}: {self._service} {fate.kind}")
        return self._meet(fate, effect, half, away)

    def _meet(
        self,
        fate: Fate,
        effect: Callable[[], T],
        half: Callable[[float], T] | None,
        away: Kind | None,
    ) -> T:
        kind, amount = fate
        if kind is Kind.CRASH_BEFORE:
            self._process.die_here(amount * LONGEST_RESTART)
        self._scheduler.sleep(_delay(kind, amount))
        if kind in _REFUSALS or (away in _REFUSALS):
            self._fail(kind if kind in _REFUSALS else away or kind)
        answer = half(amount) if kind in _OTHERWISE and half is not None else effect()
        if kind is Kind.CRASH_AFTER:
            self._process.die_here(amount * LONGEST_RESTART)
        if kind is Kind.LOST_ANSWER or away is Kind.LOST_ANSWER:
            self._scheduler.sleep(LATENCY)
            self._fail(Kind.LOST_ANSWER)
        if kind is Kind.LATE_ANSWER:
            self._scheduler.sleep(amount * LONGEST_CALL)
        return answer

    def _fail(self, kind: Kind) -> NoReturn:
        if kind is Kind.ODD:
            raise ClientError({"Error": {"Code": "Odd"}}, "Odd") if self._aws else OSError("odd")
        if not self._aws:
            raise Unavailable(self._service, kind)
        error = _AWS_ERRORS[kind]
        raise error()


def _delay(kind: Kind, amount: float) -> float:
    match kind:
        case Kind.SLOW:
            return LATENCY + amount * amount * LONGEST_CALL
        case Kind.STALLED:
            return LATENCY + amount * LONGEST_STALL
        case _:
            return LATENCY


_OTHERWISE = (Kind.HALF_FAILED, Kind.LOST_PLACE)
_REFUSALS = (Kind.AWAY, Kind.THROTTLED, Kind.ODD)

_ENDPOINT = "https://simulated"

_AWS_ERRORS: dict[Kind, Callable[[], Exception]] = {
    Kind.AWAY: lambda: EndpointConnectionError(endpoint_url=_ENDPOINT),
    Kind.LOST_ANSWER: lambda: ReadTimeoutError(endpoint_url=_ENDPOINT),
    Kind.THROTTLED: lambda: ClientError({"Error": {"Code": "ThrottlingException"}}, "Simulated"),
}


def part(items: list[Any], amount: float) -> tuple[list[Any], list[Any]]:
    """Cut a batch in two, those that pass and those that fail, by an amount from 0 to 1."""
    bits = int(amount * (1 << len(items)))
    passing = [item for index, item in enumerate(items) if bits >> index & 1]
    return passing, [item for index, item in enumerate(items) if not bits >> index & 1]
