"""What AWS bills of a call, from what was asked and answered. An emulator bills nothing itself."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from infra.resources import Table
from infra.topology import TOPOLOGY
from runtime.outbox.dynamodb_rows import PACKED_DETAIL, WRITE_UNIT, item_bytes
from runtime.outbox.packing import unpacked
from verification.benchmarks.calls.tally import CallTally

WRITE_UNITS, READ_UNITS = "DynamoDB write request units", "DynamoDB read request units"
DELETE_UNITS = "DynamoDB write request units of deletes"
STREAM_READS = "DynamoDB streams read request units"
STORED_BYTES, OUTBOX_BYTES = "bytes more in tables", "bytes put in outboxes"
PACKED_WRITE_UNITS = "DynamoDB write request units that packing spares"
PACKED_DELETE_UNITS = "DynamoDB write request units of deletes that packing spares"
SQS_STANDARD, SQS_FIFO = "SQS requests, standard", "SQS requests, FIFO"

READ_UNIT = 4096
"""Bytes that one unit reads consistently; one that writes, WRITE_UNIT; a transaction takes twice as
many of either. https://aws.amazon.com/dynamodb/pricing/on-demand/"""

ROW_OVERHEAD = 100
"""Bytes that DynamoDB bills with each row it stores, and with its copy in an index.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html"""

SQS_CHUNK = 64 * 1024
"""Bytes that one request to SQS carries. https://aws.amazon.com/sqs/pricing/"""

TABLE_OF_NAME: Mapping[str, Table] = {table.name: table for table in TOPOLOGY.tables}

Item = Mapping[str, Any]


class Meter:
    """Adds what is billed to a tally. It remembers rows: a delete costs what the row weighs."""

    def __init__(self, tally: CallTally) -> None:
        self._tally = tally
        self._rows: dict[tuple[str, ...], Item] = {}

    def note(self, operation: str, asked: Item, answered: Item) -> None:
        """Add what a call is billed that brought something; another operation costs nothing."""
        match operation:
            case "TransactWriteItems":
                for action in asked["TransactItems"]:
                    if put := action.get("Put"):
                        self._put(put["TableName"], put["Item"])
                    else:  # a shard of the inventory, of less than 1 KB
                        self._tally.unit(WRITE_UNITS, 2)
            case "BatchWriteItem":
                self._delete_all(asked["RequestItems"])
            case "GetItem":
                self._tally.unit(READ_UNITS, _units(answered.get("Item", {}), READ_UNIT))
            case "GetRecords":
                self._tally.unit(STREAM_READS, 1)
            case "PutEvents":
                for entry in asked["Entries"]:
                    size = entry_bytes(entry)
                    self._tally.event(entry["EventBusName"], entry["DetailType"], size)
            case _ if "QueueUrl" in asked:
                self._sqs(asked, answered)

    def _put(self, name: str, item: Item) -> None:
        """A transaction's put is two writes, and each index's copy one; two if it moves there.

        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.Writes
        """
        table, units = TABLE_OF_NAME[name], _units(item, WRITE_UNIT)
        before = self._rows.get(_key(table, item))
        self._rows[_key(table, item)] = item
        self._store(table, item, before)
        indexes = _indexes_of(table, item)
        self._note_packing(item)
        writes = 2 + sum(2 if _moves(names, before, item) else 1 for names in indexes)
        self._tally.unit(WRITE_UNITS, writes * units)

    def _note_packing(self, item: Item) -> None:
        """What a relay that cannot unpack it would be billed more: for its put and its delete."""
        units = _units(_plain(item), WRITE_UNIT) - _units(item, WRITE_UNIT)
        if units:
            self._tally.unit(PACKED_WRITE_UNITS, 2 * units)
            self._tally.unit(PACKED_DELETE_UNITS, units)

    def _delete_all(self, items: Mapping[str, Any]) -> None:
        for name, requests in items.items():
            for request in requests:
                row = self._rows.pop(_key(TABLE_OF_NAME[name], request["DeleteRequest"]["Key"]), {})
                self._tally.unit(DELETE_UNITS, _units(row, WRITE_UNIT))

    def _store(self, table: Table, item: Item, before: Item | None) -> None:
        """An outbox, the table with a stream, keeps nothing: what passes through it is noted.

        Unpacked, since how small a row is packed depends on its ids.
        """
        size = item_bytes(item) + ROW_OVERHEAD
        if table.stream:
            self._tally.unit(OUTBOX_BYTES, item_bytes(_plain(item)) + ROW_OVERHEAD)
        else:
            grown = size if before is None else item_bytes(item) - item_bytes(before)
            self._tally.unit(STORED_BYTES, grown * (1 + len(_indexes_of(table, item))))

    def _sqs(self, asked: Item, answered: Item) -> None:
        """A request carries what is sent or received; a batch is one request."""
        bodies = [entry.get("MessageBody", "") for entry in asked.get("Entries", ())]
        bodies += [message["Body"] for message in answered.get("Messages", ())]
        chunks = max(1, ceil(sum(map(_bytes, bodies)) / SQS_CHUNK))
        self._tally.unit(SQS_FIFO if asked["QueueUrl"].endswith(".fifo") else SQS_STANDARD, chunks)


def _plain(item: Item) -> Item:
    """An outbox's row with its detail as it would be if it were not packed."""
    if PACKED_DETAIL not in item:
        return item
    others = {name: value for name, value in item.items() if name != PACKED_DETAIL}
    return {**others, "detail": {"S": unpacked(item[PACKED_DETAIL]["B"])}}


def _indexes_of(table: Table, item: Item) -> list[list[str]]:
    """The keys of the indexes that an item is in: those of which it has every attribute."""
    keys = [[each.name for each in index.key.attributes] for index in table.indexes]
    return [names for names in keys if item.keys() >= {*names}]


def entry_bytes(entry: Mapping[str, Any]) -> int:
    """Bytes of an entry of PutEvents: source, type and detail, and 14 for its time.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
    """
    return 14 + sum(_bytes(entry[name]) for name in ("Source", "DetailType", "Detail"))


def _units(item: Item, size: int) -> int:
    return max(1, ceil(item_bytes(item) / size))


def _moves(names: Sequence[str], before: Item | None, item: Item) -> bool:
    return before is not None and any(before[each] != item[each] for each in names)


def _key(table: Table, item: Item) -> tuple[str, ...]:
    values = (item[attribute.name] for attribute in table.key.attributes)
    return (table.name, *(str(value) for value in values))


def _bytes(text: str) -> int:
    return len(text.encode())
