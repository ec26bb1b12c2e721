"""The walls on AWS in the order in which growth meets them, and which are met at what rate.

A wall is a quota, or one sequence of work: more tasks do not move it.
"""

from dataclasses import dataclass

from verification.benchmarks import scaling_inputs as inputs
from verification.benchmarks.pages import table
from verification.benchmarks.scaling_inputs import Input
from verification.benchmarks.scaling_lifecycle import (
    COMMITS,
    events,
    hot_key_wcu,
    invocations,
    log_lines,
    outbox_wcu,
)
from verification.benchmarks.table import number

TIMES = (1, 10, 100, 1000)
"""Of today's published rate."""


@dataclass(frozen=True)
class Wall:
    """`limit` a second, of which one lifecycle takes `each`; `moved` says by what it moves."""

    name: str
    limit: Input
    each: float
    moved: str
    count: float = 1
    """Of what has that limit, as deployed: shards, say."""

    @property
    def full_at(self) -> float:
        """Lifecycles a second."""
        return self.limit.value * self.count / self.each


def walls() -> list[Wall]:
    """Find them all, the first that is met first."""
    return sorted(_walls(), key=lambda wall: wall.full_at)


def _walls() -> list[Wall]:
    return [
        Wall(
            "one change stream, one reader",
            inputs.TASK_VCPU,
            COMMITS * inputs.CPU_DOCUMENT.value,
            "`TASK_CPU` to a whole core: four times. Then several outbox collections, each with its"
            " relay and FIFO queue: both are settings already, the payment service writes to one"
            " (code)",
        ),
        Wall(
            "DocumentDB's one writer",
            inputs.CLUSTER_COMMITS,
            COMMITS,
            "the instance class, twice and ten times; then a cluster for each range of ids (code):"
            " no payment needs another one",
        ),
        Wall(
            "one key of the index `by-status`",
            inputs.PARTITION_WCU,
            hot_key_wcu(),
            "a status with a suffix, and a list that reads all suffixes (code)",
        ),
        Wall(
            "PutLogEvents, all log groups of an account",
            inputs.LOG_CALLS,
            log_lines(),
            "the quota; an account for each domain (`accounts`): a third each; no log rule on a bus"
            " that only receives: 6 lines instead of 10",
        ),
        Wall(
            "partitions, and so shards, of a new outbox",
            inputs.PARTITION_WCU,
            outbox_wcu(inputs.SUBSCRIPTION_RECORD),
            "rows below 1 KB: 6 units a life, not 12. DynamoDB adds shards under load, and each has"
            " its reader; an operator sets warm throughput before a launch",
            count=inputs.STREAM_SHARDS.value,
        ),
        Wall(
            "rule invocations, all buses of an account",
            inputs.INVOCATIONS,
            invocations(),
            "the quota; an account for each domain; without logs and archives 8 instead of 27",
        ),
        Wall(
            "one FIFO queue, batches full",
            inputs.FIFO_CALLS,
            COMMITS / inputs.SQS_BATCH.value,
            "high-throughput mode: 70 000 calls; a queue for each outbox collection",
        ),
        Wall(
            "API Gateway, all APIs of an account",
            inputs.HTTP_ACCOUNT,
            2,
            "the quota; an account for each domain",
        ),
        Wall(
            "write units of one table",
            inputs.TABLE_WCU,
            outbox_wcu(inputs.SUBSCRIPTION_RECORD),
            "the quota of the table",
        ),
        Wall(
            "GetRecords of a new outbox's shards",
            inputs.GET_RECORDS_BYTES,
            COMMITS * inputs.SUBSCRIPTION_RECORD.value * inputs.STREAM_POLL.value,
            "more shards, of which each has a reader; a shard's partition writes less than its"
            " reader reads",
            count=inputs.STREAM_SHARDS.value,
        ),
        Wall(
            "PutEvents, batches full",
            inputs.PUT_EVENTS,
            events() / inputs.PUT_EVENTS_ENTRIES.value,
            "the quota; full batches, which load makes: one by one it is a tenth",
        ),
    ]


def passed(times: float) -> list[str]:
    """Find the walls that are too low for a multiple of today's rate, the first first."""
    rate = times * inputs.PUBLISHED_RATE.value
    return [wall.name for wall in walls() if wall.full_at < rate]


def walls_table() -> str:
    rows = [
        (
            wall.name,
            f"[{_number(wall.limit.value)} {wall.limit.unit}]({wall.limit.source})"
            if wall.limit.source.startswith("https://")
            else f"{_number(wall.limit.value)} {wall.limit.unit}",
            _number(wall.each),
            _number(wall.full_at),
            _number(wall.full_at / inputs.PUBLISHED_RATE.value),
            wall.moved,
        )
        for wall in walls()
    ]
    heads = (
        "wall",
        "its number",
        "a lifecycle takes",
        "full at, a second",
        "times today",
        "moved by",
    )
    return table(heads, rows)


def growth_table() -> str:
    """Each rate with the walls that it meets besides those of the rates before."""
    rows, met = [], 0
    for times in TIMES:
        found = passed(times)
        more = "; ".join(found[met:]) or "none"
        rate = times * inputs.PUBLISHED_RATE.value
        rows.append((_number(times), _number(rate), f"and {more}" if met else more))
        met = len(found)
    return table(("times today", "lifecycles a second", "walls in the way"), rows)


def _number(value: float) -> str:
    return number(value).replace(",", " ")
