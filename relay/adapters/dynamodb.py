"""An outbox in a DynamoDB table."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from contracts.outbox import DYNAMODB_JSON, MAX_SEQUENCE, MalformedRecord
from contracts.timestamps import format_timestamp, parse_timestamp
from relay.adapters.fast_json import read_as_json
from relay.backlog_gauges import LeftBehind
from relay.ports import AHEAD, EVER, Row, Unpublishable, is_old, parse
from runtime.aws import asking
from runtime.errors import Misconfigured
from runtime.outbox.dynamodb import from_item

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
            **_not_surely_young(moment),
        }
        for items in self._scan(request):
            yield [row for row in map(row_of, items) if is_old(row, moment)]

    def left_behind(self, before: datetime) -> Iterator[LeftBehind]:
        """Read times alone; consistent enough, for rows that are older than a moment."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "ProjectionExpression": "occurredAt",
            **_not_surely_young(before),
        }
        for items in self._scan(request):
            times = [_moment(item) for item in items]
            known = [time for time in times if time and time < before]
            timeless = times.count(None)
            yield LeftBehind(len(known) + timeless, min(known, default=None), timeless)

    def _scan(self, request: dict[str, Any]) -> Iterator[Sequence[Mapping[str, Any]]]:
        """Read page by page to the end, which only an answer without a last key is."""
        while True:
            with asking("DynamoDB"):
                page: Any = self._client.scan(**request)
            yield page["Items"]
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
    """Read an item of an outbox table, or the NewImage of its insertion, whatever is in it."""
    aggregate_id, sequence = item["aggregateId"]["S"], _whole(item["sequence"]["N"])
    try:
        content = parse(from_item(item), lambda: _as_stored(item))
    except (ArithmeticError, AttributeError, RecursionError, TypeError, ValueError) as error:
        reason = MalformedRecord(f"it cannot be read: {type(error).__name__}: {error}")
        body, encoding = _as_stored(item)
        content = Unpublishable(body, reason, encoding)
    return Row(
        # The key names one row: what is no whole number cannot be in the aggregate's order.
        aggregate_id=aggregate_id if sequence else f"{aggregate_id}#{item['sequence']['N']}",
        sequence=sequence or 0,
        handle={"aggregateId": item["aggregateId"], "sequence": item["sequence"]},
        content=content,
    )


def _as_stored(item: Mapping[str, Any]) -> tuple[str, str]:
    """The item in DynamoDB's JSON: each value with its type, bytes in base64."""
    text = json.dumps(item, ensure_ascii=False, default=_base64)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(item, default=_base64)
    return text, DYNAMODB_JSON


def _base64(value: object) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _whole(number: str) -> int | None:
    """A sequence, if it is one: a whole number from 1 on that a record may have."""
    if number.isdecimal():
        found = int(number)
    else:
        try:
            decimal = Decimal(number)
            found = int(decimal) if decimal == decimal.to_integral_value() else 0
        except (InvalidOperation, OverflowError):
            return None
    return found if 1 <= found <= MAX_SEQUENCE else None


def _not_surely_young(moment: datetime) -> dict[str, Any]:
    """A filter that leaves out the rows that are certainly young; the others are judged here.

    Certain is a text of the wire's own form from `moment` on and not further AHEAD. A text is of
    that form if it has its length, its signs, and no week in it: then the order of texts is the
    order of times. An expression has no patterns: `2026-02-30T...` passes for a time, and is found
    once the moment has passed it.
    """
    if moment == EVER:
        return {}
    ahead = min(moment, EVER - AHEAD) + AHEAD
    signs = {":date": "-", ":T": "T", ":time": ":", ":point": ".", ":Z": "Z"}
    return {
        "FilterExpression": "NOT (attribute_type(occurredAt, :string) AND size(occurredAt) = :size"
        " AND occurredAt BETWEEN :moment AND :ahead AND NOT contains(occurredAt, :week) AND "
        + " AND ".join(f"contains(occurredAt, {name})" for name in signs)
        + ")",
        "ExpressionAttributeValues": {
            ":string": {"S": "S"},
            ":size": {"N": str(len(format_timestamp(moment)))},
            ":moment": {"S": format_timestamp(moment)},
            ":ahead": {"S": format_timestamp(ahead)},
            ":week": {"S": "W"},
            **{name: {"S": sign} for name, sign in signs.items()},
        },
    }


def _moment(item: Mapping[str, Any]) -> datetime | None:
    try:
        return parse_timestamp(item["occurredAt"]["S"])
    except (KeyError, ValueError):
        return None


def _hashable(key: Mapping[str, Any]) -> tuple[str, str]:
    return key["aggregateId"]["S"], key["sequence"]["N"]
