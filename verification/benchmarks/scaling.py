"""`make scaling`: what limits each stage on AWS, by multiplication alone.

It prints the tables of docs/scaling.md, and `--write` writes them there. Below, in this order: what
a rate needs of each service, the rate at which each stage is full, the knobs that this depends on,
and what one lifecycle takes: a subscription is created and cancelled. Every number that the
arithmetic begins with is in verification/benchmarks/scaling_inputs.py.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from math import ceil, exp, isclose, log
from statistics import NormalDist
from typing import Any

from infra.local_system.settings import ROOT
from operations.sources.routes import Route
from runtime.process.command import run_command
from services.stock.inventory import SHARDS
from verification.benchmarks import inventory
from verification.benchmarks import scaling_inputs as inputs
from verification.benchmarks.calls import expected
from verification.benchmarks.calls.lifecycle import CANCELLED, CREATED
from verification.benchmarks.costs.usage import Usage, archives, buses, route_of
from verification.benchmarks.pages import table, write
from verification.benchmarks.scaling_inputs import Input
from verification.benchmarks.table import number

DOCUMENT = ROOT / "docs" / "scaling.md"

RATES = (100, 10_000, 1_000_000)
"""Subscriptions a minute; as many are cancelled."""

COMMITS = 2
"""Of each domain in a lifecycle: its creation and its cancellation. Each commit puts a row and an
outbox record; the record is relayed and then deleted."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m verification.benchmarks.scaling", description=__doc__
    )
    parser.add_argument("--write", action="store_true", help=f"write them into {DOCUMENT.name}")
    chosen = parser.parse_args(arguments)
    tables = blocks()
    for name, content in tables.items():
        print(f"\n**{name}**\n\n{content}")
    if chosen.write:
        write(DOCUMENT, tables)
    return 0


def blocks() -> dict[str, str]:
    """The tables of docs/scaling.md, by the name of their marks."""
    return {
        "needs": needs_table(),
        "capacities": capacities_table(),
        "inventory": inventory_table(),
        "knobs": knobs_table(),
        "inputs": inputs_table(),
    }


# What a rate needs of each service.


@dataclass(frozen=True)
class Need:
    """`each` is what one lifecycle takes; `available` is what there is as deployed."""

    name: str
    each: float
    available: Input | str = ""
    whole: bool = False

    def at(self, lifecycles: float) -> float:
        """For this many lifecycles a second; rounded up where only whole ones exist."""
        needed = self.each * lifecycles
        return ceil(round(needed, 6)) if self.whole else needed


def needs() -> list[Need]:
    row, record = inputs.SUBSCRIPTION_ROW, inputs.SUBSCRIPTION_RECORD
    stock_row, stock_record = inputs.STOCK_ROW, inputs.STOCK_RECORD
    calls = events() / inputs.PUT_EVENTS_ENTRIES.value
    fifo_calls = COMMITS / inputs.SQS_BATCH.value
    partitions = outbox_wcu(record) / inputs.PARTITION_WCU.value
    return [
        Need("lifecycles", 1),
        Need("requests, of each API", 1, inputs.HTTP_THROTTLE),
        Need("events", events()),
        Need("PutEvents calls, batches full", calls, inputs.PUT_EVENTS),
        Need("rule invocations", invocations(), inputs.INVOCATIONS),
        Need("messages in work queues", messages(), "no limit"),
        Need("table subscriptions, WCU/s", table_wcu(row), inputs.NEW_TABLE_WCU),
        Need("table stock, WCU/s", table_wcu(stock_row), inputs.NEW_TABLE_WCU),
        Need("index of subscriptions, WCU/s", index_wcu(row)),
        # A new status moves a row in the index, which is a delete and a put.
        Need("index of stock, WCU/s", index_wcu(stock_row) + _units(stock_row)),
        Need("by-status, key `allocated`, WCU/s", hot_key_wcu(), inputs.PARTITION_WCU),
        Need("table subscriptions-outbox, WCU/s", outbox_wcu(record), inputs.NEW_TABLE_WCU),
        Need("table stock-outbox, WCU/s", outbox_wcu(stock_record), inputs.NEW_TABLE_WCU),
        Need(
            "partitions, and so shards, of subscriptions-outbox",
            partitions,
            inputs.STREAM_SHARDS,
            whole=True,
        ),
        Need("DocumentDB transactions", COMMITS, inputs.CLUSTER_COMMITS),
        Need("FIFO calls of each action, batches full", fifo_calls, inputs.FIFO_CALLS),
        Need("busy cores: subscription and payment APIs", 2 * inputs.CPU_REQUEST.value),
        Need("busy cores: stock consumer", messages("stock-") * inputs.CPU_MESSAGE.value),
        Need("busy cores: payment and subscription consumers", 2 * inputs.CPU_MESSAGE.value),
        Need("busy cores: relay functions", 2 * COMMITS * inputs.CPU_RECORD.value),
        Need("busy cores: change-stream relay", COMMITS * inputs.CPU_DOCUMENT.value),
        Need("busy cores: forwarders", COMMITS * inputs.CPU_FORWARDED.value),
    ]


def needs_table() -> str:
    head = ("a second", *(f"{_number(rate)} a minute" for rate in RATES), "available")
    return table(head, (_need_cells(need) for need in needs()))


def _need_cells(need: Need) -> Sequence[str]:
    at_rates = (_number(need.at(rate / 60)) for rate in RATES)
    available = need.available.value if isinstance(need.available, Input) else need.available
    return (need.name, *at_rates, _setting(available))


# The rate at which each stage is full.


def capacities(knobs: "Knobs") -> dict[str, float]:
    """Lifecycles a second that fill each stage, if no other one is full before."""
    outbox = max(outbox_wcu(inputs.SUBSCRIPTION_RECORD), outbox_wcu(inputs.STOCK_RECORD))
    stock = messages("stock-") * inputs.CPU_MESSAGE.value
    batches = inputs.RECORDS_OF_A_BATCH.value / _batch_seconds(knobs)
    return {
        "HTTP throttle": knobs.http_rate,
        "API tasks": knobs.api_tasks * knobs.core / inputs.CPU_REQUEST.value,
        "outbox partitions": knobs.shards * inputs.PARTITION_WCU.value / outbox,
        "relay functions": knobs.shards * knobs.parallelization * batches / COMMITS,
        "Lambda concurrency": knobs.lambda_concurrency * batches / (2 * COMMITS),
        "PutEvents": knobs.put_events * inputs.PUT_EVENTS_ENTRIES.value / events(),
        "rule invocations": knobs.invocations / invocations(),
        "stock consumer": knobs.stock_tasks * knobs.core / stock,
        "consumers' threads": _consumer_threads(knobs),
        "by-status index": knobs.status_keys * inputs.PARTITION_WCU.value / hot_key_wcu(),
        "other consumers": knobs.consumer_tasks * knobs.core / inputs.CPU_MESSAGE.value,
        "DocumentDB": knobs.clusters * CLUSTERS[knobs.instance].value / COMMITS,
        "change stream": knobs.outboxes * knobs.core / (COMMITS * inputs.CPU_DOCUMENT.value),
        "FIFO queue": knobs.outboxes * knobs.fifo_calls * inputs.SQS_BATCH.value / COMMITS,
        "forwarders": _forwarders(knobs),
    }


def _batch_seconds(knobs: "Knobs") -> float:
    """How long a full batch takes a relay function; its calls go out side by side."""
    work = inputs.RECORDS_OF_A_BATCH.value * inputs.CPU_RECORD.value / knobs.lambda_core
    return work + _mean_call() + _mean(inputs.DELETE_P50, inputs.DELETE_P99)


def _consumer_threads(knobs: "Knobs") -> float:
    """A thread is taken from before its message is received until that is handled."""
    read = _mean(inputs.READ_P50, inputs.READ_P99)
    commit = _mean(inputs.COMMIT_P50, inputs.COMMIT_P99)
    taken = _mean_call() + read + commit + inputs.CPU_MESSAGE.value / knobs.core
    return min(knobs.stock_tasks, knobs.consumer_tasks) * inputs.THREADS.value / taken


def _forwarders(knobs: "Knobs") -> float:
    """CPU, or three calls one after the other (receive, publish, delete) for ten messages."""
    cpu = knobs.forward_tasks * knobs.core / inputs.CPU_FORWARDED.value
    rounds = knobs.forward_tasks * inputs.FORWARDER_THREADS.value / (3 * _mean_call())
    return min(cpu, rounds * inputs.SQS_BATCH.value) / COMMITS


def _mean_call() -> float:
    return _mean(inputs.CALL_P50, inputs.CALL_P99)


def _mean(p50: Input, p99: Input) -> float:
    """Mean of the lognormal distribution that has these two percentiles."""
    sigma = log(p99.value / p50.value) / NormalDist().inv_cdf(0.99)
    return p50.value * exp(sigma**2 / 2)


def capacities_table() -> str:
    """Subscriptions a minute that fill each stage; in bold what is full first."""
    columns = [capacities(knobs) for knobs in STEPS]
    rows = [(stage, *(_capacity(column, stage) for column in columns)) for stage in columns[0]]
    return table(("full at, a minute", *(knobs.name for knobs in STEPS)), rows)


def _capacity(column: Mapping[str, float], stage: str) -> str:
    a_minute = _number(column[stage] * 60)
    return f"**{a_minute}**" if isclose(column[stage], min(column.values())) else a_minute


def inventory_table() -> str:
    """What an inventory's rows take; a lifecycle takes razors, and later gives them back."""
    rows = [
        (
            _number(shards),
            _number(inventory.arithmetic(shards)),
            _number(round(inventory.stubbed(shards))),
            _number(inventory.arithmetic(shards) / COMMITS * 60),
        )
        for shards in (1, SHARDS)
    ]
    stub = "the same, on the stub"
    return table(("shards", "transactions a second", stub, "full at, a minute"), rows)


# The knobs.

CLUSTERS = {
    "db.t4g.medium": inputs.CLUSTER_COMMITS,
    "db.r6g.large": inputs.CLUSTER_COMMITS_LARGE,
    "db.r6g.4xlarge": inputs.CLUSTER_COMMITS_4XLARGE,
}
"""Transactions a second, by the class of a DocumentDB cluster's instance."""


def _knob(default: float | str, row: str) -> Any:
    """A setting, and what its row in the table of knobs is called."""
    return field(default=default, metadata={"row": row})


@dataclass(frozen=True)
class Knobs:
    """One way to run the system. Counts are totals; a rate is a second's.

    `api_tasks` is of each of the two APIs that a lifecycle calls, `consumer_tasks` of the payment
    and of the subscription consumer. `outboxes` counts collections, each with its own change
    stream, relay process and FIFO queue. `shards` are those of each outbox table.
    """

    name: str
    http_rate: float = _knob(
        inputs.HTTP_THROTTLE.value, "`REQUESTS_A_SECOND` in `infra/aws/http.py`"
    )
    http_burst: float = _knob(inputs.HTTP_BURST.value, "`BURST` in `infra/aws/http.py`")
    task_cpu: float = _knob(
        1024 * inputs.TASK_VCPU.value, "`TASK_CPU` in `infra/aws/tasks.py`, 1 024 for a vCPU"
    )
    api_tasks: int = _knob(2, "tasks of each API")
    stock_tasks: int = _knob(2, "tasks of the stock consumer")
    consumer_tasks: int = _knob(2, "tasks of each other consumer")
    forward_tasks: int = _knob(2, "tasks of the forwarder")
    parallelization: int = _knob(1, "`parallelization_factor` in `infra/aws/relays.py`")
    lambda_memory: float = _knob(
        inputs.LAMBDA_MEMORY.value, "`FUNCTION_MEMORY` in `infra/aws/relays.py`, MiB"
    )
    shards: float = _knob(inputs.STREAM_SHARDS.value, "shards of each outbox stream")
    status_keys: int = _knob(1, "`by-status`, keys for a status")
    clusters: int = _knob(1, "DocumentDB: clusters")
    instance: str = _knob("db.t4g.medium", "DocumentDB: `documentDb.instanceClass` of a stage")
    outboxes: int = _knob(1, "outbox collections, change-stream relays and FIFO queues, of each")
    fifo_calls: float = _knob(inputs.FIFO_CALLS.value, "FIFO queue: calls/s of each action")
    put_events: float = _knob(inputs.PUT_EVENTS.value, "EventBridge quota: PutEvents, calls/s")
    invocations: float = _knob(inputs.INVOCATIONS.value, "EventBridge quota: invocations/s")
    lambda_concurrency: float = _knob(
        inputs.LAMBDA_CONCURRENCY.value, "Lambda quota: concurrent executions"
    )

    @property
    def core(self) -> float:
        """The share of a core that a task's Python has: never more than one."""
        return min(1.0, self.task_cpu / 1024)

    @property
    def lambda_core(self) -> float:
        return min(1.0, self.lambda_memory / inputs.FULL_CORE.value)


AS_DEPLOYED = Knobs("as deployed")
"""A protected stage, all in one account: two tasks of each process that may run twice."""

TEN_THOUSAND = Knobs(
    "10 000 a minute", http_rate=400, http_burst=400, task_cpu=1024, instance="db.r6g.large"
)

MILLION_A_MINUTE = Knobs(
    "1 000 000 a minute",
    http_rate=25_000,
    http_burst=25_000,
    task_cpu=1024,
    api_tasks=200,
    stock_tasks=200,
    consumer_tasks=200,
    forward_tasks=100,
    outboxes=100,
    shards=400,
    put_events=100_000,
    invocations=650_000,
    status_keys=100,
    clusters=10,
    instance="db.r6g.4xlarge",
)

STEPS = (AS_DEPLOYED, TEN_THOUSAND, MILLION_A_MINUTE)


def knobs_table() -> str:
    rows = [
        (each.metadata["row"], *(_setting(getattr(knobs, each.name)) for knobs in STEPS))
        for each in fields(Knobs)
        if each.metadata
    ]
    return table(("knob", *(knobs.name for knobs in STEPS)), rows)


def _setting(value: float | str) -> str:
    return value if isinstance(value, str) else _number(value)


# What one lifecycle takes. Its events are those that the counted calls have; the topology's rules
# say where they go.


@cache
def _routes() -> tuple[Route, ...]:
    sections = expected.load()
    return tuple(
        route_of(event)
        for phase in (CREATED, CANCELLED)
        for event in Usage.of(sections, phase).published
    )


def events() -> int:
    return len(_routes())


def messages(prefix: str = "") -> int:
    """Messages in the work queues whose names begin so."""
    deliveries = (delivery for route in _routes() for delivery in route.deliveries)
    return sum(delivery.queue.startswith(prefix) for delivery in deliveries)


def invocations() -> float:
    """Rules that match, and for each bus on the way its log rule and an archive that keeps it."""
    return sum(map(_invocations, _routes()))


def _invocations(route: Route) -> float:
    logged, archived = len(buses(route)), len(archives(route)) * inputs.ARCHIVED.value
    return len(route.hops) + len(route.deliveries) + logged + archived


# DynamoDB write capacity units (WCU) of one lifecycle.


def outbox_wcu(record: Input) -> float:
    """Of an outbox table: a record is put in a transaction and later deleted."""
    return COMMITS * (inputs.TRANSACTION_FACTOR.value + 1) * _units(record)


def table_wcu(row: Input) -> float:
    """Of a table of aggregates, without its index."""
    return COMMITS * inputs.TRANSACTION_FACTOR.value * _units(row)


def index_wcu(row: Input) -> float:
    """Of an index that holds whole rows."""
    return COMMITS * _units(row)


def hot_key_wcu() -> float:
    """Of by-status's key `allocated`: the row is put there, and later deleted."""
    return 2 * _units(inputs.STOCK_ROW)


def _units(row: Input) -> int:
    """Of one write outside a transaction."""
    return ceil(row.value / inputs.WCU_BYTES.value)


# The inputs, and numbers.


def inputs_table() -> str:
    return table(("input", "value", "kind", "source"), map(_input_cells, inputs.INPUTS))


def _input_cells(each: Input) -> Sequence[str]:
    source = f"<{each.source}>" if each.source.startswith("https://") else each.source
    return (each.name, f"{_number(each.value)} {each.unit}", each.kind, source)


def _number(value: float) -> str:
    return number(value).replace(",", " ")


if __name__ == "__main__":
    run_command(main)
