"""What an inventory's shards have reserved, and what the rows that take from them have taken."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from infra.topology import WORKLOADS
from infra.workloads import Owns, Reserves
from operations.environment import Environment
from operations.sources.aggregate_states import KEY
from runtime.aws import asking
from runtime.outbox.dynamodb_rows import from_item


class ShardKey(NamedTuple):
    """A row of an inventory."""

    item: str
    shard: int


class ShardCount(NamedTuple):
    """What it says, in pieces."""

    on_hand: int
    reserved: int
    available: int


@dataclass(frozen=True, slots=True)
class Reservations:
    """One table's shards, read before and after the rows that take from them.

    `unlike` are rows that have taken another number than they put aside, with both.
    """

    inventory: str
    before: Mapping[ShardKey, ShardCount]
    after: Mapping[ShardKey, ShardCount]
    taken: Counter[ShardKey] = field(default_factory=Counter)
    unlike: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def read_reservations(environment: Environment) -> Iterator[Reservations]:
    """Read whole tables, those of each service that has an inventory. Raises Unavailable."""
    for domain, rows, inventory in dict.fromkeys(_tables()):
        client = environment.aws(domain).client("dynamodb")
        before = _shards(client, inventory)
        taken: Counter[ShardKey] = Counter()
        unlike: dict[str, tuple[int, int]] = {}
        for row in _scan(client, rows, FilterExpression="attribute_exists(taken)"):
            parts = {int(shard): int(razors) for shard, razors in row["taken"].items()}
            taken.update({ShardKey(row["stockId"], shard): each for shard, each in parts.items()})
            if sum(parts.values()) != row["stock"]:
                unlike[row[KEY]] = sum(parts.values()), row["stock"]
        yield Reservations(inventory, before, _shards(client, inventory), taken, unlike)


def _tables() -> Iterator[tuple[str, str, str]]:
    """The domain, the table of rows and the table that they take from, by the processes."""
    for workload in WORKLOADS:
        owned = [use.table for use in workload.uses if isinstance(use, Owns)]
        for use in workload.uses:
            if isinstance(use, Reserves):
                yield workload.domain, owned[0], use.inventory


def _shards(client: Any, inventory: str) -> dict[ShardKey, ShardCount]:
    return {
        ShardKey(row["item"], row["shard"]): ShardCount(
            row["onHand"], row["reserved"], row["available"]
        )
        for row in _scan(client, inventory)
    }


def _scan(client: Any, table: str, **request: Any) -> Iterator[Mapping[str, Any]]:
    with asking("DynamoDB"):
        pages = client.get_paginator("scan").paginate(
            TableName=table, ConsistentRead=True, **request
        )
        for page in pages:
            yield from map(from_item, page["Items"])
