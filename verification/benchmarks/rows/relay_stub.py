"""Committed rows → on the bus where AWS costs nothing: what the relay takes by itself."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from verification.benchmarks.contenders import floor
from verification.benchmarks.lines import BenchmarkLine, Goal, Series
from verification.benchmarks.rounds import interleaved
from verification.benchmarks.rows.relay_drain import NAIVE, WORKLOAD
from verification.benchmarks.sizes import Size
from verification.benchmarks.stubbed import Drain, Stub, drain, running_stub
from verification.testkit.engines import Engines

ROW = "Relay on a stub of AWS"
RELAY, RAW_FLOOR = "relay", "raw floor with botocore"
CPU, RATE = "CPU of an event", "drain"
CPU_GOAL, RATE_GOAL = Goal("at most", 250), Goal("at least", 3000)

Play = Callable[[Stub], Drain]


def run(engines: Engines, size: Size) -> Sequence[BenchmarkLine]:
    with running_stub(engines.folder) as stub:
        found = play(stub, contenders(2 * size.events), size.compare_seconds)
    return lines(found)


def contenders(events: int) -> dict[str, Play]:
    """By name, what drains that many events from the stub; the naive one publishes them alone."""
    return {
        RELAY: lambda stub: drain(stub, stub.engines.running(WORKLOAD), events),
        RAW_FLOOR: lambda stub: drain(stub, floor(stub.engines, "relay", WORKLOAD), events),
        NAIVE: lambda stub: drain(
            stub, floor(stub.engines, "naive_relay", WORKLOAD), events, deletes=False
        ),
    }


def play(stub: Stub, those: Mapping[str, Play], seconds: float) -> dict[str, list[Drain]]:
    """Play rounds of all until the CPU of an event is known beside each of the others."""
    found: dict[str, list[Drain]] = {name: [] for name in those}

    def cpu(name: str) -> float:
        found[name].append(those[name](stub))
        return found[name][-1].cpu

    interleaved({name: partial(cpu, name) for name in those}, seconds=seconds)
    return found


def lines(found: Mapping[str, Sequence[Drain]]) -> list[BenchmarkLine]:
    ours, *peers = found
    cpu = {name: Series(name, tuple(each.cpu for each in found[name])) for name in found}
    rate = {name: Series(name, tuple(each.rate for each in found[name])) for name in found}
    own = Series("stub", tuple(each.stub_cpu for each in found[ours]))
    calls = Series(ours, tuple(each.calls for each in found[ours]))
    return [
        BenchmarkLine(ROW, CPU, "µs", cpu[ours], goal=CPU_GOAL, is_timed=True),
        BenchmarkLine(ROW, RATE, "events/s", rate[ours], goal=RATE_GOAL, is_timed=True),
        *(BenchmarkLine(ROW, CPU, "µs", cpu[ours], cpu[each]) for each in peers),
        *(BenchmarkLine(ROW, RATE, "events/s", rate[ours], rate[each]) for each in peers),
        BenchmarkLine(ROW, "calls to AWS of an event", "calls", calls, is_timed=True),
        BenchmarkLine(ROW, "the stub's own CPU of a call", "µs", own, is_timed=True),
    ]
