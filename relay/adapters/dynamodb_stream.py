"""A DynamoDB stream: its shards read from LATEST on, children after their parents."""

from collections.abc import Callable, Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any

import structlog
from botocore.exceptions import ClientError

from relay.poll_interval import PollInterval
from relay.ports import LostPosition
from runtime.aws import asking, error_code
from runtime.errors import Misconfigured, Unavailable
from runtime.outbox.dynamodb_rows import row_of
from runtime.outbox.rows import Row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_dynamodbstreams.type_defs import ShardTypeDef

log = structlog.get_logger(__name__)

MAX_RECORDS = 1000
"""Records in one GetRecords: a DynamoDB Streams quota, as is 1 MB."""

SEARCH_INTERVAL = 5.0
"""Seconds between searches for the children of a shard that has ended; DescribeStream lags a little
and takes 10 calls a second."""

REFRESH_INTERVAL = 60.0
"""Seconds between reads of the list of shards when no child is missed: one of two children may
have been listed before the other."""

_LOST = {
    "ExpiredIteratorException",  # 15 minutes old: the window was full for that long
    "TrimmedDataAccessException",  # 24 hours behind
    "ResourceNotFoundException",  # the shard aged away
}


class DynamoDBStream:
    """A ChangeFeed. `read` polls each shard once, and then waits for its poll interval.

    `find_arn` is called at each opening: a table's new stream has another ARN.
    """

    def __init__(
        self,
        client: "DynamoDBStreamsClient",
        find_arn: Callable[[], str],
        *,
        poll_interval: PollInterval,
        wait: Callable[[float], object],
        search_interval: float = SEARCH_INTERVAL,
        refresh_interval: float = REFRESH_INTERVAL,
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        self._client, self._find_arn = client, find_arn
        self._arn = ""
        self._poll_interval, self._wait = poll_interval, wait
        self._search_interval, self._refresh_interval = search_interval, refresh_interval
        self._elapsed = elapsed
        self._iterators: dict[str, str] = {}
        self._known: set[str] = set()
        self._childless: set[str | None] = set()
        self._next_search = 0.0

    def open(self) -> None:
        """Position at LATEST in every open shard. Shards that have ended hold nothing new.

        A table that has no stream just now is Unavailable, not Misconfigured: it had one when the
        process started, so it is being changed.
        """
        try:
            self._arn = self._find_arn()
        except Misconfigured as error:
            raise Unavailable("DynamoDB Streams", str(error)) from error
        shards = self._shards()
        ended = {
            shard["ShardId"]
            for shard in shards
            if "EndingSequenceNumber" in shard.get("SequenceNumberRange", {})
        }
        self._known = {shard["ShardId"] for shard in shards}
        self._iterators = {
            shard_id: self._iterator(shard_id, "LATEST") for shard_id in self._known - ended
        }
        self._childless = set(ended)
        self._childless -= {shard.get("ParentShardId") for shard in shards}
        self._search_later()
        log.info("stream open", shards=len(self._iterators))

    def read(self) -> Iterator[Row]:
        received = False
        for shard_id, iterator in list(self._iterators.items()):
            response = self._records(iterator)
            for record in response["Records"]:
                if record["eventName"] == "INSERT":
                    received = True
                    yield row_of(record["dynamodb"]["NewImage"])
            self._advance(shard_id, response.get("NextShardIterator"))
        if self._elapsed() >= self._next_search:
            self._follow_children()
        seconds = self._poll_interval.next(received=received)
        if seconds:
            self._wait(seconds)

    def _records(self, iterator: str) -> Any:
        with _reading("DynamoDB Streams"):
            return self._client.get_records(ShardIterator=iterator, Limit=MAX_RECORDS)

    def _advance(self, shard_id: str, iterator: str | None) -> None:
        """Go on in a shard, or, once it was read to its end, in its children."""
        if iterator is None:
            self._end(shard_id)
        else:
            self._iterators[shard_id] = iterator

    def _end(self, shard_id: str) -> None:
        del self._iterators[shard_id]
        self._childless.add(shard_id)
        log.info("shard ended", shard=shard_id)
        self._follow_children()

    def _follow_children(self) -> None:
        """Start every shard that is new and whose parent is not being read, at its beginning.

        Raises LostPosition if then none is open: perhaps this stream has ended and a new one begun.
        """
        self._next_search = self._elapsed() + self._search_interval  # if this one fails
        shards = self._shards()
        # In a list that names children before their parents, a parent may be as new as its child.
        unread = self._iterators.keys() | ({shard["ShardId"] for shard in shards} - self._known)
        for shard in shards:
            shard_id, parent_id = shard["ShardId"], shard.get("ParentShardId")
            if shard_id not in self._known and parent_id not in unread:
                self._iterators[shard_id] = self._iterator(shard_id, "TRIM_HORIZON")
                self._known.add(shard_id)
                self._childless.discard(parent_id)
        self._search_later()
        if not self._iterators:
            raise LostPosition("every shard has ended")

    def _search_later(self) -> None:
        seconds = self._search_interval if self._childless else self._refresh_interval
        self._next_search = self._elapsed() + seconds

    def _shards(self) -> "list[ShardTypeDef]":
        shards: list[ShardTypeDef] = []
        request: dict[str, Any] = {"StreamArn": self._arn}
        while True:
            with asking("DynamoDB Streams"):
                description = self._client.describe_stream(**request)["StreamDescription"]
            shards += description["Shards"]
            if "LastEvaluatedShardId" not in description:
                return shards
            request["ExclusiveStartShardId"] = description["LastEvaluatedShardId"]

    def _iterator(self, shard_id: str, kind: Any) -> str:
        with _reading("DynamoDB Streams"):
            return self._client.get_shard_iterator(
                StreamArn=self._arn, ShardId=shard_id, ShardIteratorType=kind
            )["ShardIterator"]


class _reading(asking):  # noqa: N801 (as its base)
    """As `asking`; raises LostPosition for what can be read no further from where it was."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ClientError) and error_code(error) in _LOST:
            raise LostPosition(error_code(error)) from error
        super().__exit__(kind, error, trace)


def find_stream(client: "DynamoDBClient", table: str) -> str:
    """Find the ARN of an outbox table's stream; raises Misconfigured without a table or a stream.

    Raises Unavailable.
    """
    with asking("DynamoDB"):
        try:
            found = client.describe_table(TableName=table)["Table"]
        except client.exceptions.ResourceNotFoundException:
            raise Misconfigured(
                f"the outbox table {table} does not exist: provision it first"
            ) from None
    stream = found.get("StreamSpecification", {})
    if not stream.get("StreamEnabled") or "NEW" not in stream.get("StreamViewType", ""):
        raise Misconfigured(
            f"the outbox table {table} has no stream of new images: provision it again"
        )
    return found["LatestStreamArn"]
