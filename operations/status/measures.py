"""What has to be measured elsewhere: the ages of queues' oldest messages, and streams' lags."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from infra.workloads import Workload
from operations.environment import Environment
from operations.status.verdicts import LineVerdict
from runtime.aws import asking

LAG = "relay_stream_lag_seconds"

METRICS_TIMEOUT = 2.0
"""Seconds that a process has to show its metrics."""

METRIC_LOOK_BACK = timedelta(minutes=5)
"""CloudWatch has a queue's metrics a minute or two late, and none for one idle for six hours."""


Metric = tuple[str, str, str]
"""One of CloudWatch's: namespace, name, and the dimension that names the resource."""

AGE_OF_OLDEST: Metric = ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName")
ITERATOR_AGE_METRIC: Metric = ("AWS/Lambda", "IteratorAge", "FunctionName")


def ages_of_oldest(
    environment: Environment, queues: Sequence[str], now: datetime
) -> Mapping[str, timedelta]:
    """How long each queue's oldest message has waited, as far as CloudWatch last saw one.

    An emulator has no such metric, and receiving to find out would count against a message.
    Raises Unavailable.
    """
    if environment.emulated:
        return {}
    ages: dict[str, timedelta] = {}
    for domain in environment.topology.domains:
        mine = [queue.name for queue in domain.queues if queue.name in queues]
        found = _latest(environment, domain.name, AGE_OF_OLDEST, mine, now)
        ages |= {name: timedelta(seconds=seconds) for name, seconds in found.items()}
    return ages


def lag_of(environment: Environment, relay: Workload, now: datetime) -> timedelta | LineVerdict:
    """Ask a relay how far behind a stream's end it read its last row, or say why that is unknown.

    On AWS, where it is a function, CloudWatch is asked.
    """
    if relay.name in environment.metrics:
        return _of_process(relay.name, environment.metrics[relay.name])
    if environment.emulated:
        return LineVerdict("not measured here: set STREAMED_METRICS_URL")
    if relay.empties is None:
        return LineVerdict("not measured on AWS: the age of its outbox says the same")
    found = _latest(environment, relay.domain, ITERATOR_AGE_METRIC, [relay.name], now)
    if relay.name not in found:
        return LineVerdict("nothing was read in the last five minutes")
    return timedelta(milliseconds=found[relay.name])


def _of_process(relay: str, url: str) -> timedelta | LineVerdict:
    try:
        answer = httpx.get(url, timeout=METRICS_TIMEOUT, trust_env=False)
        answer.raise_for_status()
    except httpx.HTTPError:
        return LineVerdict(f"{relay} does not answer at {url}: is it running?", True)
    return _lag_in(answer.text)


def _lag_in(metrics: str) -> timedelta | LineVerdict:
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            if sample.name == LAG:
                return timedelta(seconds=sample.value)
    return LineVerdict("it does not measure its lag: an older version runs")


def _latest(
    environment: Environment, domain: str, metric: Metric, names: Sequence[str], now: datetime
) -> Mapping[str, float]:
    """Read a metric's newest maximum of a minute for each name that has one.

    A call may ask for 500, and a domain has a dozen queues.
    """
    if not names:
        return {}
    name_of = {f"m{index}": name for index, name in enumerate(names)}
    queries: Any = [_query(query, metric, name) for query, name in name_of.items()]
    client = environment.aws(domain).client("cloudwatch")
    with asking("CloudWatch"):
        answer = client.get_metric_data(
            MetricDataQueries=queries,
            StartTime=now - METRIC_LOOK_BACK,
            EndTime=now,
            ScanBy="TimestampDescending",
        )
    results = answer["MetricDataResults"]
    return {name_of[each["Id"]]: each["Values"][0] for each in results if each["Values"]}


def _query(query_id: str, metric: Metric, resource: str) -> dict[str, Any]:
    namespace, name, dimension = metric
    return {
        "Id": query_id,
        "MetricStat": {
            "Metric": {
                "Namespace": namespace,
                "MetricName": name,
                "Dimensions": [{"Name": dimension, "Value": resource}],
            },
            "Period": 60,
            "Stat": "Maximum",
        },
    }
