"""Everything that is counted the same every time."""

from verification.benchmarks.calls.drain import count_lambda, count_stepped
from verification.benchmarks.calls.lifecycle import count_lifecycle
from verification.benchmarks.calls.tally import Sections
from verification.testkit.engines import Engines


def count(engines: Engines) -> Sections:
    """Count a lifecycle, and a drain as daemon and as Lambda: what expected.toml holds."""
    lifecycle = count_lifecycle(engines).sections("calls", "units", "published")
    drains = [count_stepped(engines), count_lambda(engines)]
    return {**lifecycle, **{s: c for each in drains for s, c in each.sections("calls").items()}}
