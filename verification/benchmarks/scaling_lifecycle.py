"""What one lifecycle takes of AWS: a subscription is created and cancelled.

Its events are those that the counted calls have; the topology's rules say where they go.
"""

from functools import cache
from math import ceil

from operations.sources.routes import Route
from verification.benchmarks import scaling_inputs as inputs
from verification.benchmarks.calls import expected
from verification.benchmarks.calls.lifecycle import CANCELLED, CREATED
from verification.benchmarks.costs.usage import Usage, archives, buses, route_of
from verification.benchmarks.scaling_inputs import Input

COMMITS = 2
"""Of each domain in a lifecycle: its creation and its cancellation. Each commit puts a row and an
outbox record; the record is relayed and then deleted."""


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
    return COMMITS * (inputs.TRANSACTION_FACTOR.value + 1) * units(record)


def table_wcu(row: Input) -> float:
    """Of a table of aggregates, without its index."""
    return COMMITS * inputs.TRANSACTION_FACTOR.value * units(row)


def index_wcu(row: Input) -> float:
    """Of an index that holds whole rows."""
    return COMMITS * units(row)


def hot_key_wcu() -> float:
    """Of by-status's key `allocated`: the row is put there, and later deleted."""
    return 2 * units(inputs.STOCK_ROW)


def units(row: Input) -> int:
    """Of one write outside a transaction."""
    return ceil(row.value / inputs.WCU_BYTES.value)


def log_lines() -> int:
    """Lines that log rules write: one for each bus that an event reaches."""
    return sum(len(buses(route)) for route in _routes())
