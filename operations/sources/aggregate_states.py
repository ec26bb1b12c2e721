"""Reads what the three services' state says of each aggregate: versions and times, nothing else.

Directly, not through the services' stores: those read whole rows, bank details and all, and an
audit of a hundred thousand wants four fields of each.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from contracts.timestamps import format_timestamp, parse_timestamp
from operations.databases import DatabaseEnvironment
from operations.sources.ledger import PAYMENTS, STOCK, SUBSCRIPTIONS, AggregateState
from runtime.aws import asking

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLES = {SUBSCRIPTIONS: "subscriptions", STOCK: "stock"}
COLLECTION = "payments"
KEY = "subscriptionId"

_FIELDS = ("version", "event", "created", "updated", "status")
_PROJECTION: dict[str, Any] = {
    "ProjectionExpression": ", ".join(("#key", *(f"#{name}" for name in _FIELDS))),
    "ExpressionAttributeNames": {"#key": KEY, **{f"#{name}": name for name in _FIELDS}},
}


def states_since(environment: DatabaseEnvironment, since: datetime) -> Iterator[AggregateState]:
    """Stream what changed at or after a moment, in all three domains. Raises Unavailable.

    It reads whole tables: no index holds times. Only what changed is handed out, so memory is
    bounded by what happened since.
    """
    for domain, table in TABLES.items():
        for item in _scan(environment.aws(domain).client("dynamodb"), table, since):
            yield _of_row(domain, item)
    with environment.mongodb.asking():
        payments = environment.mongodb.database[COLLECTION]
        changed = payments.find({"updated": {"$gte": since}}, _MONGO_FIELDS)
        for document in changed:
            yield _of_document(document)


def read_state(
    environment: DatabaseEnvironment, domain: str, aggregate_id: str
) -> AggregateState | None:
    """Read what one domain says of one aggregate; None if it knows none. Raises Unavailable."""
    if domain == PAYMENTS:
        with environment.mongodb.asking():
            payments = environment.mongodb.database[COLLECTION]
            document = payments.find_one({"_id": aggregate_id}, _MONGO_FIELDS)
        return _of_document(document) if document else None
    with asking("DynamoDB"):
        answer = (
            environment.aws(domain)
            .client("dynamodb")
            .get_item(
                TableName=TABLES[domain],
                Key={KEY: {"S": aggregate_id}},
                ConsistentRead=True,
                **_PROJECTION,
            )
        )
    return _of_row(domain, answer["Item"]) if "Item" in answer else None


_MONGO_FIELDS = dict.fromkeys(_FIELDS, 1)


def _scan(client: "DynamoDBClient", table: str, since: datetime) -> Iterator[Mapping[str, Any]]:
    request: dict[str, Any] = {
        "TableName": table,
        "ConsistentRead": True,
        "FilterExpression": "#updated >= :since",
        "ExpressionAttributeValues": {":since": {"S": format_timestamp(since)}},
        **_PROJECTION,
    }
    while True:
        with asking("DynamoDB"):
            page: Any = client.scan(**request)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _of_row(domain: str, item: Mapping[str, Any]) -> AggregateState:
    """Read an item. A field that is missing makes a state that no events lead to."""
    updated = parse_timestamp(item["updated"]["S"])
    created = item.get("created", {}).get("S")
    return AggregateState(
        domain=domain,
        aggregate_id=item[KEY]["S"],
        version=int(item.get("version", {}).get("N", 0)),
        event=item.get("event", {}).get("S", ""),
        status=item.get("status", {}).get("S", ""),
        created=parse_timestamp(created) if created else updated,
        updated=updated,
    )


def _of_document(document: Mapping[str, Any]) -> AggregateState:
    updated = document["updated"].replace(tzinfo=UTC)
    return AggregateState(
        domain=PAYMENTS,
        aggregate_id=str(document["_id"]),
        version=document.get("version", 0),
        event=document.get("event", ""),
        status=document.get("status", ""),
        created=document.get("created", updated).replace(tzinfo=UTC),
        updated=updated,
    )
