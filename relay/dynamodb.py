"""An outbox in a DynamoDB table."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from contracts.timestamps import format_timestamp, parse_timestamp
from relay.ages import LeftBehind
from relay.answers import read_as_json
from relay.rows import NOT_A_TIME, Row, parse
from runtime.aws import asking
from runtime.dynamodb import from_item
from runtime.errors import Misconfigured

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_DELETES = 25
"""Requests in one BatchWriteItem: a DynamoDB quota."""

PAGE = 500
"""Rows that one page of a sweep looks at, besides DynamoDB's 1 MB: 2000 took 7 MB more memory."""


class DynamoOutbox:
    """An Outbox: hash key aggregateId, range key sequence."""

    max_deletes = MAX_DELETES

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client, self._table = client, table
        read_as_json(client, "Scan")

    def stream_arn(self) -> str:
        """Find the table's stream; raises Misconfigured without a table or a stream."""
        with asking("DynamoDB"):
            try:
                table = self._client.describe_table(TableName=self._table)["Table"]
            except self._client.exceptions.ResourceNotFoundException:
                raise Misconfigured(
                    f"the outbox table {self._table} does not exist: provision it first"
                ) from None
        stream = table.get("StreamSpecification", {})
        if not stream.get("StreamEnabled") or "NEW" not in stream.get("StreamViewType", ""):
            raise Misconfigured(
                f"the outbox table {self._table} has no stream of new images: provision it anew"
            )
        return table["LatestStreamArn"]

    def older_than(self, moment: datetime) -> Iterator[Sequence[Row]]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "Limit": PAGE,
            "FilterExpression": "occurredAt < :moment OR occurredAt >= :no_time"
            " OR attribute_not_exists(occurredAt) OR NOT attribute_type(occurredAt, :string)",
            "ExpressionAttributeValues": {
                ":moment": {"S": format_timestamp(moment)},
                ":no_time": {"S": NOT_A_TIME},
                ":string": {"S": "S"},
            },
        }
        while True:
            with asking("DynamoDB"):
                page = self._client.scan(**request)
            yield [row_of(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def left_behind(self, before: datetime) -> Iterator[LeftBehind]:
        """Read times alone; consistent enough, for rows that are older than a moment."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "ProjectionExpression": "occurredAt",
            "FilterExpression": "occurredAt < :before",
            "ExpressionAttributeValues": {":before": {"S": format_timestamp(before)}},
        }
        while True:
            with asking("DynamoDB"):
                page = self._client.scan(**request)
            oldest = min(filter(None, map(_moment, page["Items"])), default=None)
            yield LeftBehind(len(page["Items"]), oldest)
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def delete(self, rows: Sequence[Row]) -> Sequence[Row]:
        keys = {_hashable(row.handle): row for row in rows}
        with asking("DynamoDB"):
            response = self._client.batch_write_item(
                RequestItems={
                    self._table: [{"DeleteRequest": {"Key": row.handle}} for row in keys.values()]
                }
            )
        unprocessed: Any = response.get("UnprocessedItems", {}).get(self._table, [])
        return [keys[_hashable(request["DeleteRequest"]["Key"])] for request in unprocessed]


def row_of(item: Mapping[str, Any]) -> Row:
    """Read an item of an outbox table, or the NewImage of its insertion."""
    document = from_item(item)
    return Row(
        aggregate_id=str(document["aggregateId"]),
        sequence=document["sequence"],
        handle={"aggregateId": item["aggregateId"], "sequence": item["sequence"]},
        content=parse(document),
    )


def _moment(item: Mapping[str, Any]) -> datetime | None:
    try:
        return parse_timestamp(item["occurredAt"]["S"])
    except (KeyError, ValueError):
        return None


def _hashable(key: Mapping[str, Any]) -> tuple[str, str]:
    return key["aggregateId"]["S"], key["sequence"]["N"]
