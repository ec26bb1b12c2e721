"""The three figures of README.md: latency, throughput and cost."""

from verification.benchmarks.costs.designs import THIS_DESIGN
from verification.benchmarks.lines import Results
from verification.benchmarks.rows import calls, end_to_end, relay_drain
from verification.benchmarks.table import number


def figures(results: Results) -> str:
    """A table of them, each with the command that finds it; LookupError where one is missing."""
    p50, p99 = (
        _found(results, end_to_end.ROW, end_to_end.latency("allocated", part))
        for part in (0.5, 0.99)
    )
    customers = _found(results, end_to_end.ROW, end_to_end.SUSTAINABLE)
    events = _found(results, relay_drain.ROW, relay_drain.ON_LOOPBACK)
    dollars = _found(results, calls.ROW, f"{calls.COST_OF_A_MILLION}, {THIS_DESIGN.name}")
    latency = f"{p50} ms at the median, {p99} ms at the 99th percentile"
    rows = (
        ("from a request to its effect in another service", latency, "make bench"),
        ("events through one relay", f"{events} a second", "make bench"),
        ("customers through the whole system", f"{customers} a second", "make bench"),
        ("a million subscriptions on AWS, created and cancelled", f"${dollars}", "make costs"),
    )
    table = (f"| {what} | **{found}** | `{command}` |" for what, found, command in rows)
    return "\n".join(["| | | |", "|---|---|---|", *table])


def _found(results: Results, row: str, what: str) -> str:
    """A line's median as it is shown; raises LookupError for a run that did not measure it."""
    for line in results.lines:
        if (line.row, line.what) == (row, what):
            return number(line.ours.median)
    raise LookupError(f"{row}: {what}: play that row before publishing")
