"""An outbox in a DynamoDB table, and the table of aggregates that is written with it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic

from botocore.exceptions import ClientError

from contracts.outbox import EventTooLarge, OutboxRecord
from runtime.aws import asking, error_code, reaching
from runtime.aws_failures import family_of_code
from runtime.cursors import InvalidCursor, Page
from runtime.errors import Conflict, Unavailable
from runtime.outbox.commit import A
from runtime.outbox.dynamodb_queries import not_surely_young
from runtime.outbox.dynamodb_rows import from_item, moment_of, outbox_item, row_of, to_item
from runtime.outbox.ports import never
from runtime.outbox.rows import EVER, Row, is_old
from runtime.outbox.stats import OutboxStats
from runtime.process.tracing import Attributes, Tracer, spanned
from runtime.verdicts import Family

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_ITEM_BYTES = 400 * 1024 - 1024
"""DynamoDB's item limit is 400 KB, attribute names included; 1 KB is left for those names."""

MAX_DELETES = 25
"""Requests in one BatchWriteItem: a DynamoDB quota."""

PAGE = 500
"""Rows that one page of a scan looks at, besides DynamoDB's 1 MB: 2000 took 7 MB more memory."""

_COMMIT = "TransactWriteItems"


class DynamoOutbox:
    """An Outbox: hash key aggregateId, range key sequence."""

    max_deletes = MAX_DELETES

    def __init__(self, client: "DynamoDBClient", table: str, *, page: int = PAGE) -> None:
        self._client, self._table, self._page = client, table, page

    def scan(self, before: datetime = EVER) -> Iterator[Sequence[Row]]:
        request = {"ConsistentRead": True, "Limit": self._page, **not_surely_young(before)}
        for page in self._pages(request):
            yield [row for row in map(row_of, page["Items"]) if is_old(row, before)]

    def stats(
        self,
        before: datetime = EVER,
        *,
        limit: int | None = None,
        stopped: Callable[[], bool] = never,
    ) -> OutboxStats:
        """Read times alone; with a limit one page of them, which may lag a second behind.

        What is older than a moment has had the time to be seen without a consistent read.
        """
        request: dict[str, Any] = {"ProjectionExpression": "occurredAt", **not_surely_young(before)}
        if limit is None:
            request["ConsistentRead"] = before == EVER
        else:
            request["Limit"] = limit + 1
        found, at_least = OutboxStats(), False
        for page in self._pages(request):
            found += OutboxStats.of(map(moment_of, page["Items"]), before)
            at_least = "LastEvaluatedKey" in page
            if limit is not None or stopped():
                break
        found = replace(found, at_least=at_least)
        return found if limit is None else found.limited(limit)

    def _pages(self, request: dict[str, Any]) -> Iterator[Any]:
        """Scan page by page to the end, which only an answer without a last key is."""
        request = {"TableName": self._table, **request}
        while True:
            with asking("DynamoDB"):
                page: Any = self._client.scan(**request)
            yield page
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


def _hashable(key: Mapping[str, Any]) -> tuple[str, str]:
    return key["aggregateId"]["S"], key["sequence"]["N"]


@dataclass(frozen=True)
class Index:
    """A global secondary index, and the attribute that is its hash key."""

    name: str
    attribute: str


class VersionedTable(ABC, Generic[A]):
    """An AggregateStore: a table of rows with a `version`, and the outbox written with it.

    A service says what its rows are: their `key`, the `index` that a list is filtered by, if one
    is, how an aggregate is written and read, and what else is written `beside` it.
    """

    key: str
    index: Index

    @abstractmethod
    def to_row(self, aggregate: A, /) -> Mapping[str, Any]: ...

    @abstractmethod
    def from_row(self, row: Mapping[str, Any], /) -> A: ...

    def beside(self, after: A, before: A | None, /) -> Sequence[Any]:  # noqa: ARG002 (others do)
        """Further parts of the transaction of a change, at most 98, each with its own condition."""
        return ()

    def __init__(
        self,
        client: "DynamoDBClient",
        *,
        table: str,
        outbox: str,
        tracer: Tracer | None = None,
        pack: bool = False,
    ) -> None:
        self._client, self._table, self._outbox = client, table, outbox
        self._pack = pack  # the outbox's rows, where that saves a write unit
        self.outbox = DynamoOutbox(client, outbox)
        self._tracer = tracer
        # https://opentelemetry.io/docs/specs/semconv/database/dynamodb/
        self._commit: Attributes = {
            "db.system.name": "aws.dynamodb",
            "db.operation.name": _COMMIT,
            "db.collection.name": table,
            "aws.dynamodb.table_names": (table, outbox),
        }

    def check(self) -> None:
        """Raise Unavailable unless the table answers."""
        with asking("DynamoDB"):
            self._client.get_item(TableName=self._table, Key={self.key: {"S": "readiness"}})

    def get(self, aggregate_id: str) -> A | None:
        with reaching("DynamoDB", "GetItem"):
            item = self._client.get_item(
                TableName=self._table, Key={self.key: {"S": aggregate_id}}, ConsistentRead=True
            ).get("Item")
        return self.from_row(from_item(item)) if item else None

    def commit(self, after: A, record: OutboxRecord | None, *, replaces: A | None) -> None:
        """Put the row, its outbox record, if there is one, and what is `beside` them, at once.

        Who collides: another writer of the same row. `replaces` is what the decision was made on;
        None says that there was no row. Either the row still is at that version, what is beside it
        fits, and all is written, or nothing is and Conflict is raised. boto3 sends a client token,
        so its own retries of a call whose answer was lost are safe; past those, Unavailable says
        that the outcome is unknown, and the caller's next try finds the row and decides on it.
        Raises EventTooLarge for a record that no DynamoDB item can hold.
        """
        row = self.to_row(after)
        parts: list[Any] = [{"Put": self._conditional_put(row, replaces)}]
        if record is not None:
            if record.size > MAX_ITEM_BYTES:
                raise EventTooLarge(record.event_type, record.size, MAX_ITEM_BYTES)
            item = outbox_item(record, pack=self._pack)
            parts.append({"Put": {"TableName": self._outbox, "Item": item}})
        parts += self.beside(after, replaces)
        with (
            spanned(self._tracer, f"{_COMMIT} {self._table}", "client", self._commit),
            transacting(_COMMIT, row[self.key]),
        ):
            self._client.transact_write_items(TransactItems=parts)

    def _conditional_put(self, row: Mapping[str, Any], replaces: A | None) -> dict[str, Any]:
        put = {"TableName": self._table, "Item": to_item(row)}
        if replaces is None:
            return put | {
                "ConditionExpression": "attribute_not_exists(#key)",
                "ExpressionAttributeNames": {"#key": self.key},
            }
        return put | {
            "ConditionExpression": "#version = :replaced",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": {":replaced": {"N": str(replaces.version)}},
        }

    def page(
        self,
        *,
        limit: int,
        after: Mapping[str, str] | None,
        where: str | None = None,
        status: str | None = None,
    ) -> Page[A]:
        """Read one page: of the index, where its attribute is `where`, or of the whole table.

        Both are eventually consistent and bounded by `limit`, whatever the table's size: of the
        rows that a page looks at, it has those with `status`, if one is given. Raises InvalidCursor
        for an `after` that cannot be a position in this list.
        """
        if where is not None:
            return self.page_of_index(self.index, where, limit=limit, after=after, status=status)
        if after is not None and after.keys() != {self.key}:
            raise InvalidCursor
        return self._page(self._client.scan, {"Limit": limit}, after, status)

    def page_of_index(
        self,
        index: Index,
        value: str,
        *,
        limit: int,
        after: Mapping[str, str] | None,
        status: str | None = None,
    ) -> Page[A]:
        """Read one page of an index, likewise: of the rows whose attribute has that value."""
        # Whether it has the table's key and the value; DynamoDB judges the rest.
        if after is not None and (self.key not in after or after.get(index.attribute) != value):
            raise InvalidCursor
        query = {
            "IndexName": index.name,
            "KeyConditionExpression": "#name = :value",
            "ExpressionAttributeNames": {"#name": index.attribute},
            "ExpressionAttributeValues": {":value": {"S": value}},
        }
        return self._page(self._client.query, {"Limit": limit, **query}, after, status)

    def _page(
        self,
        read: Callable[..., Any],
        request: dict[str, Any],
        after: Mapping[str, str] | None,
        status: str | None,
    ) -> Page[A]:
        if status is not None:
            names = {**request.get("ExpressionAttributeNames", {}), "#status": "status"}
            values = {**request.get("ExpressionAttributeValues", {}), ":status": {"S": status}}
            request |= {
                "FilterExpression": "#status = :status",
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": values,
            }
        if after is not None:
            request["ExclusiveStartKey"] = to_item(after)
        try:
            with reaching("DynamoDB"):
                response = read(TableName=self._table, **request)
        except ClientError as error:
            if after is not None and error_code(error) == "ValidationException":
                raise InvalidCursor from error
            raise
        last = response.get("LastEvaluatedKey")
        return Page(
            items=[self.from_row(from_item(item)) for item in response["Items"]],
            next_position=from_item(last) if last else None,
        )


@contextmanager
def transacting(call: str, aggregate_id: str) -> Iterator[None]:
    """Raise Conflict for a transaction that is cancelled because another one was first.

    Unavailable for what is no fault of its own; what can never succeed comes through as it is.
    """
    try:
        with reaching("DynamoDB", call):
            yield
    except ClientError as error:
        raise _meaning(error, call, aggregate_id) from error


def _meaning(error: ClientError, call: str, aggregate_id: str) -> Exception:
    """Say what a cancelled transaction means; any other error is what it is."""
    if error_code(error) != "TransactionCanceledException":
        return error
    codes = {reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])}
    families = {family_of_code(code): code for code in sorted(codes - {"None"})}
    if Family.RACE in families:
        return Conflict(aggregate_id)
    if not families or families.keys() & {Family.ENTRY, Family.REQUEST}:
        return error
    family, code = next(iter(families.items()))
    return Unavailable("DynamoDB", code, family, call=call)
