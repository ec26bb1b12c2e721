"""Buses that are slow, throttle or are away, and a relay's pipeline before them, in virtual time.

A bus works through what it has accepted in the order in which it came, whether or not anyone still
waits for its answer: that is what makes a copy cost.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from math import inf

from contracts.outbox import OutboxRecord
from relay.pipeline import PUBLISHERS, Pipeline
from relay.ports import Failure, RelayAdapters
from relay.window import Window
from runtime.aws import patience
from runtime.batches import Limits
from runtime.congestion import CongestionControl
from runtime.errors import Unavailable
from runtime.eventbridge import PUT_EVENTS_LIMITS
from runtime.verdicts import Family
from tests.relay_fakes import THROTTLED, MemoryDeadLetters, MemoryOutbox, row_of
from tests.simulation.scheduling import Scheduler, Signal, TaskStop
from tests.simulation.uncounted import METRICS

MOST_TURNS = 2_000_000

Rate = Callable[[float], float]
"""Entries a second that a bus works off, from the time on."""


@dataclass
class ModelBus:
    """A Target. All times are seconds; `away` answers at once that it is, `silent` never answers.

    What is past `throttled_at` entries a second, with as many at once as `burst`, is refused: call
    by call, or entry by entry where it `refuses_entries`.
    """

    scheduler: Scheduler
    _: KW_ONLY
    rate: Rate = lambda now: inf
    latency: float = 0.002
    away: tuple[float, float] = (0.0, 0.0)
    silent: tuple[float, float] = (0.0, 0.0)
    throttled_at: float = inf
    burst: float = 100.0
    refuses_entries: bool = False
    limits: Limits = PUT_EVENTS_LIMITS
    accepted: Counter[str] = field(default_factory=Counter)
    backlogs: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._free_at = self._filled_at = 0.0
        self._tokens = self.burst

    def size_of(self, record: OutboxRecord) -> int:
        return record.entry_size

    def publish(self, records: Sequence[OutboxRecord]) -> Sequence[Failure | None]:
        now, waits = self.scheduler.now, patience()
        assert waits is not None
        if self.away[0] <= now < self.away[1]:
            self.scheduler.sleep(self.latency)
            raise Unavailable("the bus", "EndpointConnectionError")
        if self.silent[0] <= now < self.silent[1]:
            self._give_up(waits)
        taken = self._admit(records)
        begun = max(now, self._free_at)
        self._free_at = begun + sum(taken) / self.rate(begun)
        self.backlogs.append(self._free_at - now)
        self.accepted.update(
            record.event_id for record, is_taken in zip(records, taken, strict=True) if is_taken
        )
        answered = self._free_at - now + self.latency
        if answered > waits:
            self._give_up(waits)
        self.scheduler.sleep(answered)
        return [None if is_taken else THROTTLED for is_taken in taken]

    def _admit(self, records: Sequence[OutboxRecord]) -> list[bool]:
        if self.throttled_at == inf:
            return [True] * len(records)
        now = self.scheduler.now
        filled = self._tokens + (now - self._filled_at) * self.throttled_at
        self._tokens, self._filled_at = min(self.burst, filled), now
        if not self.refuses_entries and self._tokens < len(records):
            self.scheduler.sleep(self.latency)
            raise Unavailable("the bus", "ThrottlingException", Family.THROTTLED)
        taken = [index < int(self._tokens) for index in range(len(records))]
        self._tokens -= sum(taken)
        return taken

    def _give_up(self, seconds: float) -> None:
        self.scheduler.sleep(seconds)
        raise Unavailable("the bus", "ReadTimeoutError", is_lost=True)


@dataclass(frozen=True)
class Drain:
    """What became of rows: by time how many were left in the outbox, and copies on the bus."""

    rows: int
    left: Sequence[tuple[float, int]]
    copies: Counter[str]
    bus: ModelBus

    @property
    def seconds(self) -> float:
        """Until the last had left."""
        return self.left[-1][0]

    def left_at(self, moment: float) -> int:
        """How many rows were in the outbox then."""
        return min((rows for at, rows in self.left if at <= moment), default=self.rows)

    @property
    def most_copies(self) -> int:
        return max(self.copies.values())

    @property
    def mean_copies(self) -> float:
        return self.copies.total() / self.rows


def drained(rows: int, bus_on: Callable[[Scheduler], ModelBus]) -> Drain:
    """Have a relay that has just started publish rows, each of an aggregate of its own."""
    scheduler = Scheduler()
    bus, outbox = bus_on(scheduler), MemoryOutbox()

    def signal(_: object) -> Signal:
        return Signal(scheduler)

    def congestion(calls: int, entries: int, **how: float) -> CongestionControl:
        return CongestionControl(calls, entries, now=lambda: scheduler.now, condition=signal, **how)

    window = Window(max_rows=rows + 1, max_bytes=2**40, condition=signal)
    pipeline = Pipeline(
        RelayAdapters(outbox, bus, MemoryDeadLetters()),
        stop=TaskStop(scheduler),
        metrics=METRICS,
        window=window,
        call_later=scheduler.after,
        congestion=congestion,
    )
    committed = [row_of(f"a{number}", 1) for number in range(rows)]
    outbox.put(*committed)
    left: list[tuple[float, int]] = []

    def publish() -> None:
        while pipeline.publish_next():
            while pipeline.has_published:
                pipeline.delete_next()
                left.append((scheduler.now, len(outbox.rows)))

    scheduler.task(lambda: window.offer(committed))
    for _ in range(PUBLISHERS):
        scheduler.task(publish)
    assert scheduler.run(until=lambda: not outbox.rows, most_turns=MOST_TURNS)
    return Drain(rows, left, bus.accepted, bus)
