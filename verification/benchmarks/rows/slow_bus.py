"""A relay before a bus that is slow, far, throttles or is away: time beside the ideal, and copies.

The bus takes what it is sent at once and works it off in turn, whether or not the relay still waits
for its answer. The ideal is arithmetic: what the bus could have worked off, from the relay's first
call on, if each row were sent once.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from time import monotonic

from relay.pipeline import PUBLISHERS
from runtime.eventbridge import PUT_EVENTS_LIMITS
from verification.benchmarks.contenders import BENCH_BUS, fill, wait_for
from verification.benchmarks.lines import BenchmarkLine, Goal, Series
from verification.benchmarks.rows.relay_stub import WORKLOAD
from verification.benchmarks.sizes import Size
from verification.load.outboxes import LoadedTable
from verification.testkit.engines import Engines
from verification.testkit.fault_proxy import FaultProxy
from verification.testkit.http_messages import HttpMessage, error
from verification.testkit.injected_fault import InjectedFault, Late, Turns

ROW = "Relay: before a slow bus"

OF_THE_IDEAL = Goal("at most", 1.5)
MEAN_COPIES, MOST_COPIES = Goal("at most", 1.2), Goal("at most", 3)

Bus = Callable[[int], InjectedFault]
"""What happens to a call of so many entries."""


@dataclass(frozen=True)
class SlowBus:
    """A bus of which `ideal` seconds are the least in which so many `rows` can leave."""

    what: str
    rows: int
    ideal: float
    make: Callable[[], Bus]


def run(engines: Engines, size: Size) -> Sequence[BenchmarkLine]:  # noqa: ARG001 (as any row's)
    engines.aws.client("events").create_event_bus(Name=BENCH_BUS)
    return [line for bus in BUSES for line in _drain(engines, bus)]


def _drain(engines: Engines, bus: SlowBus) -> list[BenchmarkLine]:
    outbox = LoadedTable(engines)
    table = engines.aws.client("dynamodb")
    fill(outbox, bus.rows)
    accepted: Counter[str] = Counter()
    first_call: list[float] = []
    behaviour = bus.make()

    def decide(request: HttpMessage) -> InjectedFault:
        first_call.append(monotonic())
        entries = (request.json or {})["Entries"]
        fault = behaviour(len(entries))
        if not isinstance(fault, HttpMessage):
            accepted.update(entry["Detail"] for entry in entries)
        return fault

    with FaultProxy(engines.endpoint).running() as proxy:
        proxy.script("PutEvents", decide)
        settings = {
            "EVENT_BUS": BENCH_BUS,
            "AWS_ENDPOINT_URL": proxy.endpoint,
            "SWEEP_MIN_AGE_SECONDS": "0",
        }
        with engines.running(WORKLOAD, settings):
            wait_for(
                lambda: not table.scan(TableName=outbox.table, Limit=1)["Items"], "an empty outbox"
            )
            seconds = monotonic() - first_call[0]
    copies = accepted.total() / bus.rows
    return [
        _line(bus, "time", "times the ideal", seconds / bus.ideal, OF_THE_IDEAL),
        _line(bus, "copies of a row", "on average", copies, MEAN_COPIES),
        _line(bus, "copies of a row", "at most", max(accepted.values()), MOST_COPIES),
    ]


def _line(bus: SlowBus, what: str, unit: str, found: float, goal: Goal) -> BenchmarkLine:
    note = f"{bus.rows} rows; ideal {bus.ideal:g} s"
    return BenchmarkLine(
        ROW, f"{bus.what}: {what}", unit, Series("relay", (found,)), goal=goal, note=note
    )


def _working_off(rate: float) -> Bus:
    return Turns(rate).late


def _throttling(rate: float) -> Bus:
    """A token bucket that holds as much as it is given in a second, and is full at first."""
    tokens, filled_at = rate, monotonic()

    def decide(entries: int) -> InjectedFault:
        nonlocal tokens, filled_at
        now = monotonic()
        tokens, filled_at = min(rate, tokens + (now - filled_at) * rate), now
        if tokens < entries:
            return error(400, "ThrottlingException", "Rate exceeded")
        tokens -= entries
        return None

    return decide


def _away(seconds: float) -> Bus:
    """From its first call on."""
    began: list[float] = []

    def decide(_: int) -> InjectedFault:
        began.append(monotonic())
        is_away = began[-1] - began[0] < seconds
        return error(503, "ServiceUnavailable") if is_away else None

    return decide


_IN_FLIGHT = PUBLISHERS * PUT_EVENTS_LIMITS.entries

BUSES = (
    SlowBus("10 entries a second", 200, 200 / 10, lambda: _working_off(10)),
    SlowBus("1.5 entries a second", 60, 60 / 1.5, lambda: _working_off(1.5)),
    SlowBus("3 s for each answer", 960, ceil(960 / _IN_FLIGHT) * 3, lambda: lambda _: Late(3)),
    SlowBus("throttled at 100 a second", 1000, 1000 / 100, lambda: _throttling(100)),
    SlowBus("away for 60 s", 2000, 60, lambda: _away(60)),
)
