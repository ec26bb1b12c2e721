"""What a rate of subscriptions asks of each service: multiplication, nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil

from verification.benchmarks.scaling import inputs
from verification.benchmarks.scaling.lifecycle import EVENTS, invocations, queued
from verification.benchmarks.scaling.writes import hot_key_wcu, index_wcu, outbox_wcu, state_wcu

RATES = (100, 10_000, 1_000_000)
"""Subscriptions a minute; as many are cancelled."""


@dataclass(frozen=True)
class Need:
    """`value` is for that many lifecycles a second; `at_hand` is what there is before asking."""

    name: str
    unit: str
    value: Callable[[float], float]
    at_hand: str = ""


def needs() -> tuple[Need, ...]:
    return (
        Need("lifecycles", "1/s", lambda rate: rate),
        Need("requests, of each API", "1/s", lambda rate: rate, _shown(inputs.HTTP_THROTTLE)),
        Need("events", "1/s", lambda rate: EVENTS * rate),
        Need(
            "PutEvents calls, batches full",
            "1/s",
            lambda rate: EVENTS * rate / inputs.PUT_EVENTS_ENTRIES.value,
            _shown(inputs.PUT_EVENTS),
        ),
        Need(
            "rule invocations",
            "1/s",
            lambda rate: invocations() * rate,
            _shown(inputs.INVOCATIONS),
        ),
        Need("messages in work queues", "1/s", lambda rate: queued().total() * rate, "no limit"),
        *(_table(name) for name in ("subscriptions", "stock")),
        *(_index(name) for name in ("subscriptions", "stock")),
        Need(
            "by-status, key `allocated`",
            "WCU/s",
            lambda rate: hot_key_wcu() * rate,
            f"{inputs.PARTITION_WCU.value:,.0f}",
        ),
        *(_outbox(name) for name in ("subscriptions-outbox", "stock-outbox")),
        Need(
            "partitions, and so shards, of subscriptions-outbox",
            "",
            lambda rate: ceil(outbox_wcu("subscriptions-outbox") * rate / _PARTITION),
            _shown(inputs.STREAM_SHARDS),
        ),
        Need(
            "DocumentDB transactions", "1/s", lambda rate: 2 * rate, _shown(inputs.CLUSTER_COMMITS)
        ),
        Need(
            "FIFO calls of each action, batches full",
            "1/s",
            lambda rate: 2 * rate / inputs.SQS_BATCH.value,
            _shown(inputs.FIFO_CALLS),
        ),
        *(_cores(name, seconds) for name, seconds in _cpu().items()),
    )


_PARTITION = inputs.PARTITION_WCU.value


def _cpu() -> Mapping[str, float]:
    """Seconds of a core that a lifecycle takes."""
    return {
        "subscription and payment APIs": 2 * inputs.CPU_REQUEST.value,
        "stock consumer": 2 * inputs.CPU_MESSAGE.value,
        "payment and subscription consumers": 2 * inputs.CPU_MESSAGE.value,
        "relay functions": 4 * inputs.CPU_RECORD.value,
        "change-stream relay": 2 * inputs.CPU_DOCUMENT.value,
        "forwarders": 2 * inputs.CPU_FORWARDED.value,
    }


def _table(name: str) -> Need:
    return Need(
        f"table {name}", "WCU/s", lambda rate: state_wcu(name) * rate, _shown(inputs.NEW_TABLE_WCU)
    )


def _index(name: str) -> Need:
    return Need(f"index of {name}", "WCU/s", lambda rate: index_wcu(name) * rate)


def _outbox(name: str) -> Need:
    return Need(
        f"table {name}", "WCU/s", lambda rate: outbox_wcu(name) * rate, _shown(inputs.NEW_TABLE_WCU)
    )


def _cores(name: str, seconds: float) -> Need:
    return Need(f"busy cores: {name}", "cores", lambda rate: seconds * rate)


def _shown(limit: inputs.Input) -> str:
    return f"{limit.value:,.0f}"
