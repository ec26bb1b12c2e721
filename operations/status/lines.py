"""Gathers what waits where: outboxes, streams, work queues, dead-letter queues, line by line."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from infra.workloads import Consumes
from operations.place import Place
from operations.sources.depths import Depth, depth_of
from operations.sources.origins import work_queues
from operations.sources.outboxes import PendingOutbox, pending
from operations.sources.peeking import AT_ONCE, open_queues
from operations.status.measures import ages_of_oldest, lag_of
from operations.status.verdicts import (
    Verdict,
    on_dead_letters,
    on_outbox,
    on_queue,
    on_silence,
    on_stream,
)
from runtime.errors import Unavailable
from runtime.outbox.stats import OutboxStats
from runtime.sqs.queue import find_url

Kind = Literal["outbox", "stream", "queue", "dead-letter queue"]

SECOND_LOOK = 2.0
"""Seconds until a queue that nobody seems to receive from is looked at again."""

PEEKED = 1_000
"""Dead letters looked at for the oldest of them."""


@dataclass(frozen=True)
class Line:
    """One place where things wait. None is not known, or makes no sense there."""

    kind: Kind
    name: str
    verdict: Verdict
    waiting: int | None = None
    in_flight: int | None = None
    oldest: timedelta | None = None
    lag: timedelta | None = None

    def document(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "waiting": self.waiting,
            "inFlight": self.in_flight,
            "oldestSeconds": self.oldest,
            "lagSeconds": self.lag,
            "verdict": self.verdict.text,
            "needsPerson": self.verdict.needs_person,
        }


@dataclass(frozen=True)
class Standing:
    lines: Sequence[Line]

    @property
    def needs_person(self) -> bool:
        return any(line.verdict.needs_person for line in self.lines)


def standing(
    place: Place, *, now: Callable[[], datetime], wait: Callable[[float], object]
) -> Standing:
    """Look at everything once, and twice at queues that nobody seems to receive from.

    Raises Unavailable if AWS is away, Misconfigured if a resource is missing; a database that is
    away has a line that says so.
    """
    queues = _queue_lines(place, now(), wait)  # first: where AWS is away it says so soonest
    dead_letters = _dead_letter_lines(place, now)
    outboxes = [(each, _stats(each)) for each in pending(place)]
    return Standing(
        [
            *(_outbox_line(each, found, now()) for each, found in outboxes),
            *_stream_lines(place, {each.relay: found for each, found in outboxes}, now()),
            *queues,
            *dead_letters,
        ]
    )


def _stats(outbox: PendingOutbox) -> OutboxStats | Unavailable:
    try:
        return outbox.stats()
    except Unavailable as error:
        return error


def _outbox_line(outbox: PendingOutbox, found: OutboxStats | Unavailable, now: datetime) -> Line:
    if isinstance(found, Unavailable):
        return Line("outbox", outbox.name, Verdict(f"cannot be read: {found}", needs_person=True))
    oldest = found.age(now)
    verdict = on_outbox(found.depth, oldest, outbox.relay)
    return Line("outbox", outbox.name, verdict, waiting=found.depth, oldest=oldest)


def _stream_lines(
    place: Place, outboxes: dict[str, OutboxStats | Unavailable], now: datetime
) -> list[Line]:
    lines: list[Line] = []
    for relay in (each for each in place.workloads if each.relays_outbox):
        measured, found = lag_of(place, relay, now), outboxes[relay.name]
        waiting = found.depth if isinstance(found, OutboxStats) else 0
        verdict = (
            on_stream(measured.lag, waiting, relay.name, measured.why_not)
            if measured.silent is None
            else on_silence(relay.name, measured.silent)
        )
        lines.append(Line("stream", relay.name, verdict, lag=measured.lag))
    return lines


def _queue_lines(place: Place, now: datetime, wait: Callable[[float], object]) -> list[Line]:
    names = [queue.name for queue in work_queues(place.topology)]
    ages = ages_of_oldest(place, names, now)
    depths = _depths(place, names)
    doubtful = [
        name
        for name in names
        if ages.get(name) is None and depths[name].visible and not depths[name].in_flight
    ]
    stuck: set[str] = set()
    if doubtful:
        wait(SECOND_LOOK)
        again = _depths(place, doubtful)
        stuck = {
            name
            for name in doubtful
            if not again[name].in_flight and again[name].visible >= depths[name].visible
        }
        depths |= again
    lines: list[Line] = []
    for name in names:
        depth, oldest = depths[name], ages.get(name)
        verdict = on_queue(depth, oldest, _consumer(place, name), stuck=name in stuck)
        lines.append(Line("queue", name, verdict, depth.visible, depth.in_flight, oldest))
    return lines


def _dead_letter_lines(place: Place, now: Callable[[], datetime]) -> list[Line]:
    """On an emulator the oldest is looked for among the letters; they are visible again after."""
    queues = open_queues(place, None)
    ages = ages_of_oldest(place, [each.origin.dlq for each in queues], now())
    lines: list[Line] = []
    for queue in queues:
        name, depth = queue.origin.dlq, queue.depth()
        oldest = ages.get(name)
        if place.emulated and depth.visible:
            with queue.hold() as letters:
                times = [each.sent_at for each in letters.take(PEEKED) if each.sent_at]
            oldest = now() - min(times) if times else None
        verdict = on_dead_letters(depth, oldest, name)
        lines.append(
            Line("dead-letter queue", name, verdict, depth.visible, depth.in_flight, oldest)
        )
    return lines


def _depths(place: Place, names: Sequence[str]) -> dict[str, Depth]:
    clients = [place.aws(place.topology.domain_of_queue(name)).client("sqs") for name in names]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(
            lambda pair: depth_of(pair[0], find_url(pair[0], pair[1])),
            zip(clients, names, strict=True),
        )
        return dict(zip(names, found, strict=True))


def _consumer(place: Place, queue: str) -> str:
    return next(each.name for each in place.workloads if Consumes(queue) in each.uses)
