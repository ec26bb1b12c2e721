"""What is committed and not yet in durable hands: each outbox's depth, oldest row, and rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from contracts.timestamps import parse_timestamp
from infra.workloads import Workload
from operations.databases import DatabaseEnvironment
from relay.adapters.dynamodb import DynamoOutbox
from relay.adapters.mongodb import MongoOutbox
from relay.ports import EVER, Outbox, Row
from runtime.aws import asking
from runtime.errors import Misconfigured


@dataclass(frozen=True)
class Waiting:
    """`oldest` is the occurredAt of the row that has waited longest, if any can be read."""

    depth: int
    oldest: datetime | None


class PendingOutbox(Protocol):
    """One outbox: `name` as a person knows it, `relay` the process that empties it."""

    @property
    def name(self) -> str: ...
    @property
    def relay(self) -> str: ...
    @property
    def domain(self) -> str: ...

    def waiting(self) -> Waiting:
        """Count the rows; memory stays bounded. Raises Unavailable, Misconfigured."""
        ...

    def rows(self) -> Iterator[Row]:
        """Read the rows page by page, in sequence per aggregate. Raises Unavailable."""
        ...


def pending(environment: DatabaseEnvironment) -> list[PendingOutbox]:
    """Name every outbox of the system; nothing is read before it is asked for."""
    return [_outbox(environment, each) for each in environment.workloads if each.relays_outbox]


def _outbox(environment: DatabaseEnvironment, relay: Workload) -> PendingOutbox:
    if relay.empties is None:
        return MongoPending(
            environment, relay.name, relay.domain, relay.settings["OUTBOX_COLLECTION"]
        )
    return DynamoPending(environment, relay.name, relay.domain, relay.empties)


@dataclass(frozen=True)
class DynamoPending:
    environment: DatabaseEnvironment
    relay: str
    domain: str
    name: str

    def waiting(self) -> Waiting:
        client = self.environment.aws(self.domain).client("dynamodb")
        pages = client.get_paginator("scan").paginate(
            TableName=self.name, ConsistentRead=True, ProjectionExpression="occurredAt"
        )
        depth, oldest = 0, None
        with asking("DynamoDB"):
            try:
                for page in pages:
                    depth += len(page["Items"])
                    times = (item.get("occurredAt", {}).get("S") for item in page["Items"])
                    oldest = min(filter(None, (oldest, *map(_time, times))), default=None)
            except client.exceptions.ResourceNotFoundException:
                raise Misconfigured(
                    f"the outbox table {self.name} does not exist there: provision it first"
                ) from None
        return Waiting(depth, oldest)

    def rows(self) -> Iterator[Row]:
        client = self.environment.aws(self.domain).client("dynamodb")
        return _rows(DynamoOutbox(client, self.name))


@dataclass(frozen=True)
class MongoPending:
    environment: DatabaseEnvironment
    relay: str
    domain: str
    collection: str

    @property
    def name(self) -> str:
        return f"{self.domain}.{self.collection}"

    def waiting(self) -> Waiting:
        mongo = self.environment.mongodb
        looks = MongoOutbox(mongo, self.collection).left_behind(EVER)
        oldest = min(filter(None, (look.oldest for look in looks)), default=None)
        with mongo.asking():
            return Waiting(mongo.database[self.collection].count_documents({}), oldest)

    def rows(self) -> Iterator[Row]:
        return _rows(MongoOutbox(self.environment.mongodb, self.collection))


def _rows(outbox: Outbox) -> Iterator[Row]:
    for page in outbox.older_than(EVER):
        yield from page


def _time(text: str | None) -> datetime | None:
    try:
        return parse_timestamp(text or "")
    except ValueError:
        return None
