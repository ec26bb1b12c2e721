"""Gathers what waits where: outboxes, streams, work queues, dead-letter queues, line by line."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from infra.workloads import Consumes, Workload
from operations.databases import DatabaseEnvironment
from operations.sources.depths import Depth, find_depth
from operations.sources.origins import work_queues
from operations.sources.outboxes import PendingOutbox, pending
from operations.sources.peeking import PEEK_THREADS, open_queues
from operations.status.measures import ages_of_oldest, lag_of
from operations.status.verdicts import (
    LineVerdict,
    on_dead_letters,
    on_outbox,
    on_queue,
    on_stream,
)
from runtime.errors import Unavailable

Kind = Literal["outbox", "stream", "queue", "dead-letter queue"]

SECOND_LOOK = 2.0
"""Seconds until a queue from which nothing seems to be received is looked at again."""

PEEKED = 1_000
"""Dead letters looked at for the oldest of them."""


@dataclass(frozen=True)
class Line:
    """One place where things wait. None is not known, or makes no sense there."""

    kind: Kind
    name: str
    verdict: LineVerdict
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
            "needsPerson": self.verdict.needs_attention,
        }


def read_status(
    environment: DatabaseEnvironment,
    *,
    now: Callable[[], datetime],
    wait: Callable[[float], object],
) -> list[Line]:
    """Look at everything once, and twice at queues from which nothing seems to be received.

    Raises Unavailable if AWS is away, Misconfigured if a resource is missing; a database that is
    away has a line that says so.
    """
    queues = _queue_lines(environment, now(), wait)  # first: where AWS is away it says so soonest
    dead_letters = _dead_letter_lines(environment, now)
    outboxes = [_outbox_line(each, now) for each in pending(environment)]
    relays = [each for each in environment.workloads if each.relays_outbox]
    streams = [
        _stream_line(environment, relay, outbox.waiting or 0, now())
        for relay, outbox in zip(relays, outboxes, strict=True)
    ]
    return [*outboxes, *streams, *queues, *dead_letters]


def _outbox_line(outbox: PendingOutbox, now: Callable[[], datetime]) -> Line:
    try:
        found = outbox.stats()
    except Unavailable as error:
        return Line("outbox", outbox.name, LineVerdict(f"cannot be read: {error}", True))
    oldest = found.age(now())
    verdict = on_outbox(found.depth, oldest, outbox.relay)
    return Line("outbox", outbox.name, verdict, waiting=found.depth, oldest=oldest)


def _stream_line(
    environment: DatabaseEnvironment, relay: Workload, waiting: int, now: datetime
) -> Line:
    lag = lag_of(environment, relay, now)
    if isinstance(lag, LineVerdict):
        return Line("stream", relay.name, lag)
    return Line("stream", relay.name, on_stream(lag, waiting, relay.name), lag=lag)


def _queue_lines(
    environment: DatabaseEnvironment, now: datetime, wait: Callable[[float], object]
) -> list[Line]:
    names = [queue.name for queue in work_queues(environment.topology)]
    ages = ages_of_oldest(environment, names, now)
    depths = _depths(environment, names)
    doubtful = [
        name
        for name in names
        if ages.get(name) is None and depths[name].visible and not depths[name].in_flight
    ]
    stuck: set[str] = set()
    if doubtful:
        wait(SECOND_LOOK)
        again = _depths(environment, doubtful)
        stuck = {
            name
            for name in doubtful
            if not again[name].in_flight and again[name].visible >= depths[name].visible
        }
        depths |= again
    lines: list[Line] = []
    for name in names:
        depth, oldest = depths[name], ages.get(name)
        consumer = next(each.name for each in environment.workloads if Consumes(name) in each.uses)
        verdict = on_queue(depth, oldest, consumer, stuck=name in stuck)
        lines.append(Line("queue", name, verdict, depth.visible, depth.in_flight, oldest))
    return lines


def _dead_letter_lines(environment: DatabaseEnvironment, now: Callable[[], datetime]) -> list[Line]:
    """An emulator does not say how old the oldest is: it is looked for, and visible again after."""
    queues = open_queues(environment)
    ages = ages_of_oldest(environment, [each.origin.dlq for each in queues], now())
    lines: list[Line] = []
    for queue in queues:
        name, depth = queue.origin.dlq, queue.depth()
        oldest = ages.get(name)
        if environment.emulated and depth.visible:
            with queue.lease() as lease:
                times = [each.sent_at for each in lease.take(PEEKED) if each.sent_at]
            oldest = now() - min(times) if times else None
        verdict = on_dead_letters(depth, oldest, name)
        lines.append(
            Line("dead-letter queue", name, verdict, depth.visible, depth.in_flight, oldest)
        )
    return lines


def _depths(environment: DatabaseEnvironment, names: Sequence[str]) -> dict[str, Depth]:
    domain_of = environment.topology.domain_of_queue
    clients = [environment.aws(domain_of(name)).client("sqs") for name in names]
    with ThreadPoolExecutor(PEEK_THREADS) as pool:
        return dict(zip(names, pool.map(find_depth, clients, names), strict=True))
