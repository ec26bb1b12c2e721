"""Tables on an emulator: key, billing, global indexes and stream as the topology says."""

from typing import TYPE_CHECKING, Any, Final

from infra.changes import CannotChangeError, Change, change_of
from infra.resources import KEY_TYPES, GlobalIndex, Key, Table, attributes_of
from infra.topology import Topology

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        AttributeDefinitionTypeDef,
        KeySchemaElementTypeDef,
        TableDescriptionTypeDef,
    )

BILLING: Final = "PAY_PER_REQUEST"


def render_tables(dynamodb: "DynamoDBClient", topology: Topology) -> list[Change]:
    """Raises CannotChangeError for a table that exists with another key.

    Indexes and streams change at once here; AWS would take minutes for an index and must be waited
    for, which is CloudFormation's business there.
    """
    return [change for table in topology.tables for change in _table(dynamodb, table)]


def _table(dynamodb: "DynamoDBClient", table: Table) -> list[Change]:
    try:
        found = dynamodb.describe_table(TableName=table.name)["Table"]
    except dynamodb.exceptions.ResourceNotFoundException:
        _create(dynamodb, table)
        return change_of("table", table.name, existed=False, what=())
    _refuse_another_key(table, found)
    what = [
        *_update_billing(dynamodb, table, found),
        *_update_indexes(dynamodb, table, found),
        *_update_stream(dynamodb, table, found),
    ]
    return change_of("table", table.name, existed=True, what=what)


def _create(dynamodb: "DynamoDBClient", table: Table) -> None:
    optional: dict[str, Any] = {}
    if table.indexes:
        optional["GlobalSecondaryIndexes"] = [_index(index) for index in table.indexes]
    if table.stream:
        optional["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": table.stream}
    dynamodb.create_table(
        TableName=table.name,
        KeySchema=_key_schema(table.key),
        AttributeDefinitions=_definitions(*table.keys),
        BillingMode=BILLING,
        **optional,
    )


def _refuse_another_key(table: Table, found: "TableDescriptionTypeDef") -> None:
    wanted, current = _described(table.key), _described_schema(found["KeySchema"], found)
    if wanted != current:
        raise CannotChangeError(
            "table",
            table.name,
            f"its key is {current}, the topology says {wanted}",
            "delete the table, and its items with it, or give the new one another name",
        )


def _update_billing(
    dynamodb: "DynamoDBClient", table: Table, found: "TableDescriptionTypeDef"
) -> list[str]:
    if found.get("BillingModeSummary", {}).get("BillingMode") == BILLING:
        return []
    dynamodb.update_table(TableName=table.name, BillingMode=BILLING)
    return ["BillingMode"]


def _update_indexes(
    dynamodb: "DynamoDBClient", table: Table, found: "TableDescriptionTypeDef"
) -> list[str]:
    """An index cannot be changed, only made and deleted; one at a time, as DynamoDB wants it."""
    wanted = {index.name: index for index in table.indexes}
    current = {
        index["IndexName"]: (
            _described_schema(index["KeySchema"], found),
            index["Projection"]["ProjectionType"],
        )
        for index in found.get("GlobalSecondaryIndexes", [])
    }
    drifted = {
        name
        for name in wanted.keys() | current.keys()
        if name not in wanted or current.get(name) != (_described(wanted[name].key), "ALL")
    }
    for name in sorted(drifted & current.keys()):
        dynamodb.update_table(
            TableName=table.name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": name}}]
        )
    for name in sorted(drifted & wanted.keys()):
        dynamodb.update_table(
            TableName=table.name,
            AttributeDefinitions=_definitions(table.key, wanted[name].key),
            GlobalSecondaryIndexUpdates=[{"Create": _index(wanted[name])}],
        )
    return [f"index {name}" for name in sorted(drifted)]


def _update_stream(
    dynamodb: "DynamoDBClient", table: Table, found: "TableDescriptionTypeDef"
) -> list[str]:
    """A stream of another view is a new stream: DynamoDB wants the old one disabled first."""
    stream = found.get("StreamSpecification", {"StreamEnabled": False})
    current = stream.get("StreamViewType") if stream["StreamEnabled"] else None
    if current == table.stream:
        return []
    if current:
        dynamodb.update_table(TableName=table.name, StreamSpecification={"StreamEnabled": False})
    if table.stream:
        dynamodb.update_table(
            TableName=table.name,
            StreamSpecification={"StreamEnabled": True, "StreamViewType": table.stream},
        )
    return ["StreamSpecification"]


def _index(index: GlobalIndex) -> Any:
    return {
        "IndexName": index.name,
        "KeySchema": _key_schema(index.key),
        "Projection": {"ProjectionType": "ALL"},
    }


def _key_schema(key: Key) -> list["KeySchemaElementTypeDef"]:
    return [
        {"AttributeName": attribute.name, "KeyType": kind}
        for attribute, kind in zip(key.attributes, KEY_TYPES, strict=False)
    ]


def _definitions(*keys: Key) -> list["AttributeDefinitionTypeDef"]:
    return [
        {"AttributeName": each.name, "AttributeType": each.type} for each in attributes_of(*keys)
    ]


def _described(key: Key) -> str:
    return " + ".join(f"{attribute.name} ({attribute.type})" for attribute in key.attributes)


def _described_schema(
    schema: list["KeySchemaElementTypeDef"], found: "TableDescriptionTypeDef"
) -> str:
    """In the form of `_described`; DynamoDB lists HASH before RANGE."""
    types = {each["AttributeName"]: each["AttributeType"] for each in found["AttributeDefinitions"]}
    return " + ".join(
        f"{each['AttributeName']} ({types[each['AttributeName']]})" for each in schema
    )
