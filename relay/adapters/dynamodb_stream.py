"""A DynamoDB stream: its shards followed from their ends on, children after their parents."""

from collections.abc import Callable, Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any

import structlog
from botocore.exceptions import ClientError

from relay.poll_interval import Pace
from relay.ports import LostPlace
from runtime.aws import asking, error_code
from runtime.errors import Misconfigured, Unavailable
from runtime.outbox.dynamodb_rows import row_of
from runtime.outbox.fast_json import read_as_json
from runtime.outbox.rows import Row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_dynamodbstreams.type_defs import ShardTypeDef

log = structlog.get_logger(__name__)

MAX_RECORDS = 1000
"""Records in one GetRecords: a DynamoDB Streams quota, as is 1 MB."""

SEARCH_INTERVAL = 5.0
"""Seconds between looks for the children of a shard that has ended; DescribeStream lags a little
and takes 10 calls a second."""

LOOK_INTERVAL = 60.0
"""Seconds between looks at the list of shards when no child is missed: one of two children may
have been listed before the other."""

_LOST = {
    "ExpiredIteratorException",  # 15 minutes old: the window was full for that long
    "TrimmedDataAccessException",  # 24 hours behind
    "ResourceNotFoundException",  # the shard aged away
}


class ShardedStream:
    """A Stream. `read` polls each shard once, and then waits as long as its `pace` says.

    `find_arn` is asked at each opening: a table's stream that is made anew has another ARN.
    """

    def __init__(
        self,
        client: "DynamoDBStreamsClient",
        find_arn: Callable[[], str],
        *,
        pace: Pace,
        wait: Callable[[float], object],
    ) -> None:
        self._client, self._find_arn = client, find_arn
        read_as_json(client, "GetRecords")
        self._arn = ""
        self._pace, self._wait = pace, wait
        self._iterators: dict[str, str] = {}
        self._known: set[str] = set()
        self._childless: set[str | None] = set()
        self._next_search = 0.0

    def open(self) -> None:
        """Stand at the end of every open shard. Shards that have ended hold nothing new.

        A table that has no stream just now is Unavailable, not Misconfigured: it had one when the
        process started, so somebody is changing it.
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
        told = False
        for shard_id, iterator in list(self._iterators.items()):
            response = self._records(iterator)
            for record in response["Records"]:
                if record["eventName"] == "INSERT":
                    told = True
                    yield row_of(record["dynamodb"]["NewImage"])
            self._advance(shard_id, response.get("NextShardIterator"))
        if monotonic() >= self._next_search:
            self._follow_children()
        seconds = self._pace.after(told=told)
        if seconds:
            self._wait(seconds)

    def _records(self, iterator: str) -> Any:
        with asking("DynamoDB Streams"):
            try:
                return self._client.get_records(ShardIterator=iterator, Limit=MAX_RECORDS)
            except ClientError as error:
                if error_code(error) in _LOST:
                    raise LostPlace(error_code(error)) from error
                raise

    def _advance(self, shard_id: str, iterator: str | None) -> None:
        """Go on in a shard, or, once it was read to its end, in its children."""
        if iterator is not None:
            self._iterators[shard_id] = iterator
            return
        del self._iterators[shard_id]
        self._childless.add(shard_id)
        log.info("shard ended", shard=shard_id)
        self._follow_children()

    def _follow_children(self) -> None:
        """Start every shard that is new and whose parent is not being read, at its beginning.

        Raises LostPlace if then none is open: perhaps this stream has ended and another has begun.
        """
        self._next_search = monotonic() + SEARCH_INTERVAL  # if this one fails
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
            raise LostPlace("every shard has ended")

    def _search_later(self) -> None:
        self._next_search = monotonic() + (SEARCH_INTERVAL if self._childless else LOOK_INTERVAL)

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
        with asking("DynamoDB Streams"):
            try:
                return self._client.get_shard_iterator(
                    StreamArn=self._arn, ShardId=shard_id, ShardIteratorType=kind
                )["ShardIterator"]
            except ClientError as error:
                if error_code(error) in _LOST:
                    raise LostPlace(error_code(error)) from error
                raise


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
