"""Rows that no service wrote: malformed, put into each outbox by a raw driver now and then.

Each has to be in its dead-letter queue in the end, with its reason, and to have cost no other.
However short the run and however long a database was away, each outbox gets one.
"""

import base64
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import bson
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument
from pymongo.errors import DuplicateKeyError

from contracts.outbox import BASE64_BSON
from infra.workloads import Workload
from operations.databases import DatabaseEnvironment
from runtime.aws import reaching
from runtime.errors import Unavailable
from runtime.process.shutdown import Stop
from runtime.sqs.queue import MAX_BATCH, find_url

WRITE_INTERVAL = 4.0
"""Seconds between two rows."""

RETRY_INTERVAL = 1.0
"""Seconds until a write that failed is tried again."""

LAST_TRIES = 10
"""For one row, once the run is over and its database is ready again."""

_NAME = re.compile(rb"malformed-[0-9]{4}")

MALFORMED_ITEMS: Sequence[Mapping[str, Any]] = (
    {},
    {"occurredAt": {"S": "0001-01-01T00:00:00.000+01:00"}},
    {"occurredAt": {"S": "tomorrow"}},
    {"occurredAt": {"N": "1764488025"}},
    {"occurredAt": {"NULL": True}, "detail": {"B": b"\xff\xfe"}},
    {"eventId": {"SS": ["a", "b"]}, "detail": {"M": {"deep": {"BOOL": True}}}},
)
"""What DynamoDB takes and the relay cannot read."""

MALFORMED_DOCUMENTS: Sequence[Mapping[str, Any]] = (
    {},
    {"occurredAt": "9999-12-31T23:59:59.999-01:00"},
    {"occurredAt": DatetimeMS(2**63 - 1)},
    {"occurredAt": ["2026-11-29T07:33:45.000Z"]},
    {"occurredAt": None, "detail": bson.Decimal128("1.5")},
    {"occurredAt": bson.MaxKey(), "eventId": b"\xff"},
    {"occurredAt": "\x01\x02\x03\x04"},
)
"""What MongoDB takes and the relay cannot read; the last is made no UTF-8."""


@dataclass
class Accounted:
    """The names of malformed rows: `written` for certain, and the `dead_lettered` ones.

    `unexplained` are those without a reason.
    """

    written: set[str] = field(default_factory=set)
    dead_lettered: set[str] = field(default_factory=set)
    unexplained: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    """By queue, how many dead letters they are: one may be set aside more than once."""

    @property
    def missing(self) -> set[str]:
        return self.written - self.dead_lettered


class MalformedRows:
    """Writes rows in a thread of its own, straight to the databases, and looks for them later."""

    def __init__(self, environment: DatabaseEnvironment) -> None:
        self._environment, self._stop = environment, Stop()
        self._mongo = environment.mongodb
        self._relays = [each for each in environment.workloads if each.relays_outbox]
        self._written: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="malformed_rows")

    @contextmanager
    def running(self) -> Iterator["MalformedRows"]:
        """Write until the block ends, or `finish`."""
        self._thread.start()
        try:
            yield self
        finally:
            self.finish()

    def finish(self) -> None:
        """Write no more, once each outbox has a row."""
        self._stop.request()
        self._thread.join()

    def account(self) -> Accounted:
        """Take the rows' dead letters out of their queues. Raises Unavailable."""
        found = Accounted(self._written)
        for relay in self._relays:
            self._take(relay.domain, relay.settings["DEAD_LETTER_QUEUE"], found)
        return found

    def _run(self) -> None:
        for number in count(1):
            if self._stop.wait(WRITE_INTERVAL) and number > len(self._relays):
                return
            relay = self._relays[number % len(self._relays)]
            self._insist(relay, f"malformed-{number:04}", number // len(self._relays))

    def _insist(self, relay: Workload, name: str, variety: int) -> None:
        """Write a row, again and again while its database is away: each time it is the same."""
        tries = LAST_TRIES
        while tries > 0:
            tries -= self._stop.requested
            try:
                self._write(relay, name, variety)
            except Unavailable:
                time.sleep(RETRY_INTERVAL)
            else:
                self._written.add(name)
                return

    def _write(self, relay: Workload, name: str, variety: int) -> None:
        if relay.empties is None:
            self._insert(relay.settings["OUTBOX_COLLECTION"], _document(name, variety))
        else:
            self._put(relay.domain, relay.empties, name, variety)

    def _put(self, domain: str, table: str, name: str, variety: int) -> None:
        key = {"aggregateId": {"S": name}, "sequence": {"N": "1"}}
        item = {**key, **MALFORMED_ITEMS[variety % len(MALFORMED_ITEMS)]}
        with reaching("DynamoDB"):
            client = self._environment.aws(domain).client("dynamodb")
            client.put_item(TableName=table, Item=item)

    def _insert(self, collection: str, document: Any) -> None:
        with self._mongo.reaching():
            outbox = self._mongo.database[collection]
            with suppress(DuplicateKeyError):  # an attempt without an answer had written it
                outbox.insert_one(document)

    def _take(self, domain: str, queue: str, found: Accounted) -> None:
        sqs = self._environment.aws(domain).client("sqs")
        url = find_url(sqs, queue)
        with reaching("SQS"):
            while messages := sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=MAX_BATCH, MessageAttributeNames=["All"]
            ).get("Messages"):
                for message in messages:
                    name = name_in(message)
                    if name is not None:
                        found.dead_lettered.add(name)
                        found.messages[queue] += 1
                        found.unexplained += "errorType" not in message["MessageAttributes"]
                        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def _document(name: str, variety: int) -> RawBSONDocument:
    key = {"aggregateId": name, "sequence": 1}
    fields = {"_id": key, **key, **MALFORMED_DOCUMENTS[variety % len(MALFORMED_DOCUMENTS)]}
    no_utf8 = bson.encode(fields).replace(b"\x01\x02\x03\x04", b"\xff\xfe\xc0\xaf")
    return RawBSONDocument(no_utf8)


def name_in(message: Mapping[str, Any]) -> str | None:
    """Which of these rows a dead letter is; None for another."""
    attributes = message.get("MessageAttributes", {})
    body = message["Body"].encode()
    if attributes.get("bodyEncoding", {}).get("StringValue") == BASE64_BSON:
        body = base64.b64decode(body)
    named = _NAME.search(body)
    return named and named[0].decode()
