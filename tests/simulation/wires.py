"""The wires between processes and services: each call waits its turn and meets its fate.

A call can fail before it had an effect or after, by half, late, or with the death of the caller on
either side. What is at the other end knows nothing of that.
"""

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from runtime.aws import patience
from runtime.aws_failures import CODES
from runtime.errors import Unavailable
from runtime.passed import note
from runtime.verdicts import HELD, Family
from tests.simulation.fates import Choices, Fate, Kind
from tests.simulation.scheduling import Killed, Scheduler
from tests.simulation.simulated_processes import Process
from tests.simulation.telling import Story

T = TypeVar("T")

LATENCY = 0.002
"""Seconds that a call takes if nothing befalls it."""

LONGEST_CALL, GIVES_UP_AFTER = 4.0, 5.0
"""Seconds that a slow call takes at most, and after which a client gives up that is not patient."""

LONGEST_STALL = 60.0
"""Seconds for which a caller may stand still: twice a visibility timeout or a sweep's age."""

LONGEST_RESTART = 40.0

BREAKS = 0.5
"""The share of lost answers for which one does not wait."""

ANY_CALL = (
    Kind.AWAY,
    Kind.THROTTLED,
    Kind.REFUSED,
    Kind.UNKNOWN,
    Kind.SLOW,
    Kind.STALLED,
    Kind.LATE_ANSWER,
    Kind.CRASH_BEFORE,
    Kind.CRASH_AFTER,
)
WRITE = (*ANY_CALL, Kind.LOST_ANSWER)
BATCH = (*WRITE, Kind.HALF_FAILED)
STREAM_READ = (*ANY_CALL, Kind.LOST_PLACE)

UNLISTED = "NobodyKnowsThis"

REFUSALS = tuple(
    (family, code) for family in HELD if family in CODES for code in sorted(CODES[family])
)
"""All that AWS may refuse with and that says nothing against the work: a fate's amount is which."""


def refusal(fate: Fate) -> tuple[Family, str]:
    """Which family and code a refusal has."""
    if fate.kind is Kind.UNKNOWN:
        return Family.UNKNOWN, UNLISTED
    return REFUSALS[int(fate.amount * len(REFUSALS))]


class Weather:
    """What all wires of a history share: its choices and its outages."""

    def __init__(self, scheduler: Scheduler, choices: Choices, story: Story) -> None:
        self.scheduler, self.choices, self.story = scheduler, choices, story
        self.fate = choices.next
        self.away: dict[str, Fate] = {}
        """Services that are not to be reached for now, and how that looks."""


class Wire:
    """From one process to one service. `aws`: its errors are botocore's, else they are ours."""

    def __init__(self, weather: Weather, process: Process, service: str, *, aws: bool) -> None:
        self._weather, self._scheduler = weather, weather.scheduler
        self._process, self.service, self._aws = process, service, aws
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
        away = weather.away.get(self.service)
        if fate is None and away is None:
            self._scheduler.sleep(LATENCY)
            answer = effect()
        else:
            if fate is not None and weather.story.is_told:
                weather.story.tell(process.name, f"{operation}: {self.service} {fate.kind}")
            answer = self._meet(operation, fate or away or _PASS, effect, half, away)
        if not self._aws:  # what is of AWS the code itself notes
            note(self.service, operation)
        return answer

    def _meet(
        self,
        operation: str,
        fate: Fate,
        effect: Callable[[], T],
        half: Callable[[float], T] | None,
        away: Fate | None,
    ) -> T:
        kind, amount = fate
        if kind is Kind.CRASH_BEFORE:
            self._process.die_here(amount * LONGEST_RESTART)
        self._scheduler.sleep(_delay(kind, amount))
        refused = fate if kind in _REFUSALS else away
        if refused is not None and refused.kind in _REFUSALS:
            self._fail(operation, refused)
        answer = half(amount) if kind in _OTHERWISE and half is not None else effect()
        if kind is Kind.CRASH_AFTER:
            self._process.die_here(amount * LONGEST_RESTART)
        waits = patience() or GIVES_UP_AFTER
        if Kind.LOST_ANSWER in {kind, away and away.kind}:
            # The connection breaks, or nothing comes for as long as one waits.
            self._scheduler.sleep(LATENCY if amount < BREAKS else waits)
            self._fail(operation, Fate(Kind.LOST_ANSWER, 0.0))
        if kind is Kind.LATE_ANSWER:
            self._scheduler.sleep(amount * max(LONGEST_CALL, waits - LATENCY))
        return answer

    def _fail(self, operation: str, fate: Fate) -> NoReturn:
        kind = fate.kind
        if kind is Kind.ODD:
            raise TypeError("odd")
        if kind in {Kind.REFUSED, Kind.UNKNOWN}:
            family, code = refusal(fate)
            if self._aws:
                raise ClientError({"Error": {"Code": code}}, operation)
            raise Unavailable(self.service, code, family, call=operation)
        if not self._aws:
            is_lost = kind is Kind.LOST_ANSWER
            raise Unavailable(self.service, kind, call=operation, is_lost=is_lost)
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
_REFUSALS = (Kind.AWAY, Kind.THROTTLED, Kind.REFUSED, Kind.UNKNOWN, Kind.ODD)
_PASS = Fate(Kind.SLOW, 0.0)

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
