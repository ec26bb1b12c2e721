"""A stream's batches as Lambda's event source mapping hands them over, and the answer it reads."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from relay.batch import Rounds
from relay.recent import Recent
from runtime.errors import Misconfigured
from runtime.outbox.dynamodb_rows import row_of
from runtime.outbox.rows import Row

log = structlog.get_logger(__name__)

REMEMBERED = 10_000
"""Records, of some 100 bytes each: a hundred batches, where a batch comes again at once."""


class NotAStreamEvent(ValueError):
    """An event whose records cannot even be told apart; the mapping splits it and tries again."""


@dataclass(frozen=True)
class Insertion:
    """A stream record that tells of a new row; `number` is how an answer names it."""

    number: str
    aggregate_id: str
    image: Any


class MappedStream:
    """Publishes the rows that a batch tells of, deletes them, and says which records failed.

    The mapping sends everything again from the first failed record on, what was published behind it
    too. Therefore the latest records that reached durable hands are remembered, for as long as this
    object lives: a batch that comes again to the same execution environment publishes nothing
    twice. In another one it does: at least once is the promise.
    """

    def __init__(self, rounds: Rounds, table: str, *, remembered: int = REMEMBERED) -> None:
        self._rounds, self._table = rounds, table
        self._recent = Recent(remembered)

    def publish(self, event: Mapping[str, Any], has_time: Callable[[], bool]) -> dict[str, Any]:
        """Take one batch, in the order of its shard; returns a partial batch response.

        https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
        Raises NotAStreamEvent, and Misconfigured for the stream of another table: a row of this
        table with the same key would be deleted unpublished. Both before anything is published.
        """
        fresh = [each for each in self._insertions(event) if _key(each) not in self._recent]
        offered = list(_readable(fresh))
        rows = [row for _, row in offered]
        done = self._rounds.publish(rows, has_time)
        arrived = {_key(offered[position][0]) for position in done}
        self._recent.add(arrived)
        self._rounds.delete([rows[position] for position in sorted(done)], has_time)
        failed = [each.number for each in fresh if _key(each) not in arrived]
        if failed:
            log.warning("records failed", failed=len(failed), done=len(done))
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}

    def _insertions(self, event: Mapping[str, Any]) -> Iterator[Insertion]:
        """Read what every stream record has; only INSERT tells of a row, deletes come as REMOVE."""
        try:
            for record in event["Records"]:
                table = record["eventSourceARN"].split("/")[1]
                change = record["dynamodb"]
                insertion = Insertion(
                    number=change["SequenceNumber"],
                    aggregate_id=change["Keys"]["aggregateId"]["S"],
                    image=change.get("NewImage"),
                )
                if table != self._table:
                    raise Misconfigured(
                        f"the mapping reads the stream of {table}, OUTBOX_TABLE is {self._table}"
                    )
                if record["eventName"] == "INSERT":
                    yield insertion
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise NotAStreamEvent(f"{type(error).__name__}: {error}") from error


def _key(insertion: Insertion) -> Hashable:
    """A row that is put back under its old key is another record, and is published."""
    return insertion.aggregate_id, insertion.number


def _readable(insertions: Iterable[Insertion]) -> Iterator[tuple[Insertion, Row]]:
    """Leave out what cannot be read, and what is behind it in its aggregate."""
    blocked: set[str] = set()
    for insertion in insertions:
        if insertion.aggregate_id in blocked:
            continue
        try:
            row = row_of(insertion.image)
        except Exception:
            # A bug of ours, or a value no outbox has: its neighbours must not wait for its end.
            log.exception("record cannot be read", sequenceNumber=insertion.number)
            blocked.add(insertion.aggregate_id)
        else:
            yield insertion, row
