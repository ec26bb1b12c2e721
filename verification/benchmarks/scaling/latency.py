"""Latencies: a lognormal distribution through two percentiles, the usual shape of a service's."""

from dataclasses import dataclass
from functools import cached_property
from math import exp, log
from random import Random
from statistics import NormalDist

from verification.benchmarks.scaling import inputs
from verification.benchmarks.scaling.inputs import Input

_AT_99 = NormalDist().inv_cdf(0.99)


@dataclass(frozen=True)
class Latency:
    """Seconds: half are shorter than `p50`, one of a hundred is longer than `p99`."""

    p50: float
    p99: float

    @classmethod
    def of(cls, p50: Input, p99: Input) -> "Latency":
        return cls(p50.value, p99.value)

    @cached_property
    def _sigma(self) -> float:
        return log(self.p99 / self.p50) / _AT_99

    @cached_property
    def _mu(self) -> float:
        return log(self.p50)

    @cached_property
    def mean(self) -> float:
        return exp(self._mu + self._sigma**2 / 2)

    def sample(self, random: Random) -> float:
        return random.lognormvariate(self._mu, self._sigma)


READ = Latency.of(inputs.READ_P50, inputs.READ_P99)
COMMIT = Latency.of(inputs.COMMIT_P50, inputs.COMMIT_P99)
DELETE = Latency.of(inputs.DELETE_P50, inputs.DELETE_P99)
CALL = Latency.of(inputs.CALL_P50, inputs.CALL_P99)
DOCUMENT = Latency.of(inputs.DOCUMENT_P50, inputs.DOCUMENT_P99)
CHANGE = Latency.of(inputs.CHANGE_P50, inputs.CHANGE_P99)
BUS = Latency.of(inputs.BUS_P50, inputs.BUS_P99)
SQS = Latency.of(inputs.SQS_P50, inputs.SQS_P99)
FIFO = Latency.of(inputs.FIFO_P50, inputs.FIFO_P99)

STREAM = Latency(
    inputs.STREAM_P50.value - inputs.STREAM_POLL.value / 2,
    inputs.STREAM_P99.value - inputs.STREAM_POLL.value / 2,
)
"""From commit to shard and from poller to function. The wait for a look at the shard is simulated,
0.125 s in the mean, and therefore taken off what was measured from end to end."""
