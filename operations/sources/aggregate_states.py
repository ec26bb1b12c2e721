"""Reads what the services' state says of each aggregate: events and times, nothing else.

Directly, not through the services' stores: those read whole rows, bank details and all, and an
audit of a hundred thousand wants a few fields of each.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from contracts.timestamps import format_timestamp, parse_timestamp
from infra.lifecycle import Lifecycle
from infra.topology import LIFECYCLES, TOPOLOGY
from operations.databases import DatabaseEnvironment
from operations.sources.ledger import AggregateState
from runtime.aws import asking
from runtime.outbox.dynamodb_rows import from_item
from runtime.outbox.history import kept_history

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY = "subscriptionId"

_FIELDS = ("version", "event", "created", "updated", "status", "events", "erasedAt")
_PROJECTION: dict[str, Any] = {
    "ProjectionExpression": ", ".join(("#key", *(f"#{name}" for name in _FIELDS))),
    "ExpressionAttributeNames": {"#key": KEY, **{f"#{name}": name for name in _FIELDS}},
}


def states_since(environment: DatabaseEnvironment, since: datetime) -> Iterator[AggregateState]:
    """Stream what changed at or after a moment, in all domains. Raises Unavailable.

    It reads whole tables: no index holds times. Only what changed is handed out, so memory is
    bounded by what happened since.
    """
    for lifecycle in LIFECYCLES.values():
        if _is_in_documents(lifecycle):
            with environment.mongodb.asking():
                collection = environment.mongodb.database[lifecycle.kept_in]
                changed = collection.find({"updated": {"$gte": since}}, _MONGO_FIELDS)
                for document in changed:
                    yield _of_document(lifecycle.domain, document)
        else:
            client = environment.aws(lifecycle.domain).client("dynamodb")
            for item in _scan(client, lifecycle.kept_in, since):
                yield _of_row(lifecycle.domain, item)


def read_state(
    environment: DatabaseEnvironment, domain: str, aggregate_id: str
) -> AggregateState | None:
    """Read what one domain says of one aggregate; None if it knows none. Raises Unavailable."""
    lifecycle = LIFECYCLES[domain]
    if _is_in_documents(lifecycle):
        with environment.mongodb.asking():
            collection = environment.mongodb.database[lifecycle.kept_in]
            document = collection.find_one({"_id": aggregate_id}, _MONGO_FIELDS)
        return _of_document(domain, document) if document else None
    with asking("DynamoDB"):
        answer = (
            environment.aws(domain)
            .client("dynamodb")
            .get_item(
                TableName=lifecycle.kept_in,
                Key={KEY: {"S": aggregate_id}},
                ConsistentRead=True,
                **_PROJECTION,
            )
        )
    return _of_row(domain, answer["Item"]) if "Item" in answer else None


def _is_in_documents(lifecycle: Lifecycle) -> bool:
    return lifecycle.kept_in not in {table.name for table in TOPOLOGY.tables}


_MONGO_FIELDS = dict.fromkeys(_FIELDS, 1)


def _scan(client: "DynamoDBClient", table: str, since: datetime) -> Iterator[Mapping[str, Any]]:
    with asking("DynamoDB"):
        pages = client.get_paginator("scan").paginate(
            TableName=table,
            ConsistentRead=True,
            FilterExpression="#updated >= :since",
            ExpressionAttributeValues={":since": {"S": format_timestamp(since)}},
            **_PROJECTION,
        )
        for page in pages:
            yield from page["Items"]


def _of_row(domain: str, item: Mapping[str, Any]) -> AggregateState:
    """Read an item. A field that is missing makes a state that no events lead to."""
    row = from_item(item)
    updated = parse_timestamp(row["updated"])
    created = parse_timestamp(row["created"]) if "created" in row else updated
    return _of(domain, row[KEY], row, created, updated)


def _of_document(domain: str, document: Mapping[str, Any]) -> AggregateState:
    updated = document["updated"].replace(tzinfo=UTC)
    created = document.get("created", updated).replace(tzinfo=UTC)
    return _of(domain, str(document["_id"]), document, created, updated)


def _of(
    domain: str, aggregate_id: str, row: Mapping[str, Any], created: datetime, updated: datetime
) -> AggregateState:
    status = row.get("status", "")
    try:
        history = kept_history(row)
    except (KeyError, TypeError, ValueError):
        history = ((0, "", updated),)
    return AggregateState(
        domain=domain,
        aggregate_id=aggregate_id,
        version=row.get("version", 0),
        event=row.get("event", ""),
        status=status,
        created=created,
        updated=updated,
        history=history,
        erased=status == "erased" or row.get("erasedAt") is not None,
    )
