"""How many lifecycles a second each stage can bear, and which one is the first to be full."""

from verification.benchmarks.scaling import inputs, latency
from verification.benchmarks.scaling.knobs import Knobs
from verification.benchmarks.scaling.lifecycle import EVENTS, invocations, queued
from verification.benchmarks.scaling.writes import hot_key_wcu, outbox_wcu

OUTBOX_EVENTS = 2
"""Of one lifecycle, in each of the three outboxes: the creation and the end."""


def capacities(knobs: Knobs) -> dict[str, float]:
    """Lifecycles a second of each stage, were it alone; latencies count by their mean."""
    stock = sum(count for queue, count in queued().items() if queue.startswith("stock-"))
    return {
        "HTTP throttle": knobs.http_rate,
        "API tasks": knobs.api_tasks * knobs.core / inputs.CPU_REQUEST.value,
        "outbox partitions": knobs.shards
        * inputs.PARTITION_WCU.value
        / max(outbox_wcu("subscriptions-outbox"), outbox_wcu("stock-outbox")),
        "relay functions": _relay_functions(knobs),
        "Lambda concurrency": knobs.lambda_concurrency
        * inputs.BATCH_SIZE.value
        / batch_seconds(knobs)
        / (2 * OUTBOX_EVENTS),
        "PutEvents": knobs.put_events * inputs.PUT_EVENTS_ENTRIES.value / EVENTS,
        "rule invocations": knobs.invocations / invocations(),
        "stock consumer": knobs.stock_tasks * knobs.core / (stock * inputs.CPU_MESSAGE.value),
        "consumers' threads": _threads(knobs),
        "by-status index": knobs.status_keys * inputs.PARTITION_WCU.value / hot_key_wcu(),
        "other consumers": knobs.consumer_tasks * knobs.core / inputs.CPU_MESSAGE.value,
        "DocumentDB": knobs.document_commits / OUTBOX_EVENTS,
        "change stream": knobs.outboxes * knobs.core / (OUTBOX_EVENTS * inputs.CPU_DOCUMENT.value),
        "FIFO queue": knobs.outboxes * knobs.fifo_calls * inputs.SQS_BATCH.value / OUTBOX_EVENTS,
        "forwarders": min(_forwarders_cpu(knobs), _forwarders_loop(knobs)),
    }


def bottleneck(knobs: Knobs) -> tuple[str, float]:
    """The stage that is full first, and at how many lifecycles a second."""
    found = capacities(knobs)
    name = min(found, key=lambda each: found[each])
    return name, found[name]


def batch_seconds(knobs: Knobs) -> float:
    """How long a full batch takes a relay function, in the mean."""
    work = inputs.BATCH_SIZE.value * inputs.CPU_RECORD.value / knobs.lambda_core
    return work + latency.CALL.mean + latency.DELETE.mean


def _relay_functions(knobs: Knobs) -> float:
    lanes = knobs.shards * knobs.parallelization
    return lanes * inputs.BATCH_SIZE.value / batch_seconds(knobs) / OUTBOX_EVENTS


def _threads(knobs: Knobs) -> float:
    """A thread is taken from before its message is received until that is handled."""
    held = latency.CALL.mean + latency.READ.mean + latency.COMMIT.mean
    tasks = min(knobs.stock_tasks, knobs.consumer_tasks)
    return tasks * inputs.THREADS.value / (held + inputs.CPU_MESSAGE.value / knobs.core)


def _forwarders_cpu(knobs: Knobs) -> float:
    return knobs.forward_tasks * knobs.core / (OUTBOX_EVENTS * inputs.CPU_FORWARDED.value)


def _forwarders_loop(knobs: Knobs) -> float:
    """Receive, publish, delete: three calls, one after the other, for ten messages."""
    loops = knobs.forward_tasks * inputs.FORWARDERS.value / (3 * latency.CALL.mean)
    return loops * inputs.SQS_BATCH.value / OUTBOX_EVENTS
