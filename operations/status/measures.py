"""What has to be measured elsewhere: the ages of queues' oldest messages, and streams' lags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from infra.workloads import Workload
from operations.environment import Environment
from runtime.aws import asking

LAG = "relay_stream_lag_seconds"

METRICS_TIMEOUT = 2.0
"""Seconds that a process has to show its metrics."""

METRIC_LOOK_BACK = timedelta(minutes=5)
"""CloudWatch has a queue's metrics a minute or two late, and none for one idle for six hours."""


@dataclass(frozen=True)
class Metric:
    """One of CloudWatch's, by resource; a call may ask for 500, a domain has a dozen queues."""

    namespace: str
    name: str
    dimension: str


AGE_OF_OLDEST = Metric("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName")
ITERATOR_AGE_METRIC = Metric("AWS/Lambda", "IteratorAge", "FunctionName")


@dataclass(frozen=True)
class Lag:
    """How far behind a stream's end a relay read its last row; without `lag`, `why_not`.

    `silent` is where a process does not answer that should.
    """

    lag: timedelta | None = None
    why_not: str = ""
    silent: str | None = None


def ages_of_oldest(
    environment: Environment, queues: Sequence[str], now: datetime
) -> Mapping[str, timedelta | None]:
    """How long each queue's oldest message has waited, as CloudWatch last saw it.

    An emulator has no such metric, and receiving to find out would count against a message.
    Raises Unavailable.
    """
    if environment.emulated:
        return {}
    ages: dict[str, timedelta | None] = {}
    for domain in environment.topology.domains:
        mine = [queue.name for queue in domain.queues if queue.name in queues]
        found = _latest(environment, domain.name, AGE_OF_OLDEST, mine, now)
        for name, seconds in zip(mine, found, strict=True):
            ages[name] = None if seconds is None else timedelta(seconds=seconds)
    return ages


def lag_of(environment: Environment, relay: Workload, now: datetime) -> Lag:
    """Ask a relay how far behind it is; on AWS, where it is a function, ask CloudWatch."""
    if relay.name in environment.metrics:
        return _of_process(environment.metrics[relay.name])
    if environment.emulated:
        return Lag(why_not="not measured here: set STREAMED_METRICS_URL")
    if relay.empties is None:
        return Lag(why_not="not measured on AWS: the age of its outbox says the same")
    (age,) = _latest(environment, relay.domain, ITERATOR_AGE_METRIC, [relay.name], now)
    if age is None:
        return Lag(why_not="nothing was read in the last five minutes")
    return Lag(timedelta(milliseconds=age))


def _of_process(url: str) -> Lag:
    try:
        answer = httpx.get(url, timeout=METRICS_TIMEOUT, trust_env=False)
        answer.raise_for_status()
    except httpx.HTTPError:
        return Lag(silent=url)
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            if sample.name == LAG:
                return Lag(timedelta(seconds=sample.value))
    return Lag(why_not="it does not measure its lag: an older version runs")


def _latest(
    environment: Environment,
    domain: str,
    metric: Metric,
    names: Sequence[str],
    now: datetime,
) -> list[float | None]:
    """Read a metric's newest maximum of a minute for each name; None where there is none."""
    client = environment.aws(domain).client("cloudwatch")
    queries: Any = [
        {
            "Id": f"m{index}",
            "MetricStat": {
                "Metric": {
                    "Namespace": metric.namespace,
                    "MetricName": metric.name,
                    "Dimensions": [{"Name": metric.dimension, "Value": name}],
                },
                "Period": 60,
                "Stat": "Maximum",
            },
        }
        for index, name in enumerate(names)
    ]
    if not queries:
        return []
    with asking("CloudWatch"):
        answer = client.get_metric_data(
            MetricDataQueries=queries,
            StartTime=now - METRIC_LOOK_BACK,
            EndTime=now,
            ScanBy="TimestampDescending",
        )
    newest = {
        each["Id"]: each["Values"][0] for each in answer["MetricDataResults"] if each["Values"]
    }
    return [newest.get(f"m{index}") for index in range(len(names))]
