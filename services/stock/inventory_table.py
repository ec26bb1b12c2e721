"""Keeps inventory in DynamoDB: a row for each shard of an item."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runtime.aws import reaching
from runtime.outbox.dynamodb import transacting
from runtime.outbox.dynamodb_rows import from_item, to_item
from services.stock.inventory import SHARDS, Inventory, Shard, Taken

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_SET = "SET onHand = :n, available = :n - reserved"
_SET_FIRST = "SET onHand = :n, reserved = :none, available = :n"
_TAKE = "SET reserved = reserved + :n, available = available - :n"


class InventoryTable:
    """An InventoryStore: hash key `item`, range key `shard`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table

    def shard(self, item: str, number: int) -> Shard | None:
        with reaching("DynamoDB", "GetItem"):
            found = self._client.get_item(**self._at(item, number), ConsistentRead=True).get("Item")
        return _shard(found) if found else None

    def read(self, item: str) -> Inventory:
        gets: Any = [{"Get": self._at(item, number)} for number in range(SHARDS)]
        with transacting("TransactGetItems", item):
            answer = self._client.transact_get_items(TransactItems=gets)
        found = (each.get("Item") for each in answer["Responses"])
        return Inventory(item, tuple(_shard(row) for row in found if row))

    def write(self, after: Inventory, *, replaces: Inventory) -> None:
        """Who collides: an allocation that takes what a shard would lose, another PUT, a DELETE."""
        before = {shard.number: shard for shard in replaces.shards}
        self._transact(
            after.item,
            [
                {"Update": self._setting(after.item, shard, before.get(shard.number))}
                for shard in after.shards
            ],
        )

    def delete(self, found: Inventory) -> None:
        """Who collides: an allocation that takes, a PUT that has set another number, a DELETE."""
        nothing = _condition("reserved = :none", none=0)
        self._transact(
            found.item,
            [
                {"Delete": {**self._at(found.item, shard.number), **nothing}}
                for shard in found.shards
            ],
        )

    def moving(self, item: str, before: Taken, after: Taken) -> Sequence[Any]:
        """The parts of a transaction that take what is in `after` alone, and give back the rest.

        Who collides: nothing but an allocation that would take more than is available then, which
        is refused. Two that both fit do not depend on each other. Giving back has no condition: a
        row gives back what it took once, and where the shard is gone the part itself is refused.
        """
        moved = {
            number: after.get(number, 0) - before.get(number, 0) for number in {*before, *after}
        }
        return [
            {
                "Update": {
                    **self._at(item, number),
                    "UpdateExpression": _TAKE,
                    **(
                        _condition("available >= :n", n=razors)
                        if razors > 0
                        else {"ExpressionAttributeValues": to_item({":n": razors})}
                    ),
                }
            }
            for number, razors in sorted(moved.items())
            if razors
        ]

    def _setting(self, item: str, shard: Shard, before: Shard | None) -> Mapping[str, Any]:
        if before is None:
            condition = _condition("attribute_not_exists(onHand)", n=shard.on_hand, none=0)
            return {**self._at(item, shard.number), "UpdateExpression": _SET_FIRST, **condition}
        condition = _condition(
            "onHand = :before AND reserved <= :n", n=shard.on_hand, before=before.on_hand
        )
        return {**self._at(item, shard.number), "UpdateExpression": _SET, **condition}

    def _transact(self, item: str, parts: Sequence[Any]) -> None:
        with transacting("TransactWriteItems", item):
            self._client.transact_write_items(TransactItems=parts)

    def _at(self, item: str, number: int) -> dict[str, Any]:
        return {"TableName": self._table, "Key": to_item({"item": item, "shard": number})}


def _condition(expression: str, **values: int) -> dict[str, Any]:
    return {
        "ConditionExpression": expression,
        "ExpressionAttributeValues": to_item({f":{name}": n for name, n in values.items()}),
    }


def _shard(item: Mapping[str, Any]) -> Shard:
    row = from_item(item)
    return Shard(row["shard"], row["onHand"], row["reserved"], row["available"])
