"""Metrics that count nothing: nobody reads them here, and they take a tenth of a history's time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from runtime.metrics import ConsumerMetrics, RelayMetrics


class _Nothing:
    """Any of Prometheus's instruments."""

    def labels(self, *_: object) -> "_Nothing":
        return self

    def _ignore(self, *_: object) -> None: ...

    inc = set = observe = set_function = _ignore


class UncountedRelay(RelayMetrics):
    def __init__(self) -> None:
        nothing = cast("Any", _Nothing())
        self.published = self.dead_lettered = self.swept = nothing
        self.in_flight = self.oldest = self.depth = self.latency = nothing

    def __getattr__(self, _: str) -> Any:
        return _Nothing()

    def refused(self, reason: str, count: int = 1) -> None: ...

    def accepted(self, occurred: Sequence[datetime]) -> None: ...


class UncountedConsumer(ConsumerMetrics):
    def __init__(self) -> None: ...

    def begun(self, queue: str) -> None: ...

    def done(self, queue: str, outcome: str, seconds: float) -> None: ...
