"""What AWS would bill of a call, reckoned by hand."""

import json
from typing import Any

from runtime.outbox.dynamodb_rows import PACKED_DETAIL, item_bytes
from runtime.outbox.packing import packed
from verification.benchmarks.calls.metering import (
    DELETE_UNITS,
    OUTBOX_BYTES,
    PACKED_DELETE_UNITS,
    PACKED_WRITE_UNITS,
    READ_UNITS,
    SQS_FIFO,
    SQS_STANDARD,
    WRITE_UNITS,
    Meter,
)
from verification.benchmarks.calls.tally import CallTally

SUBSCRIPTION = {
    "subscriptionId": {"S": "s1"},
    "accountNumber": {"S": "12345678"},
    "created": {"S": "2026"},
}


def a_record(size: int) -> dict[str, Any]:
    """An outbox row with a detail of so many bytes."""
    return {"aggregateId": {"S": "s1"}, "sequence": {"N": "1"}, "detail": {"S": "x" * size}}


Call = tuple[str, dict[str, Any], dict[str, Any]]
"""An operation, what was asked, and what was answered."""


def written(**rows: dict[str, Any]) -> Call:
    """A transaction that puts rows, each in its table."""
    puts = [{"TableName": name.replace("_", "-"), "Item": row} for name, row in rows.items()]
    return "TransactWriteItems", {"TransactItems": [{"Put": put} for put in puts]}, {}


def billed(*calls: Call) -> dict[str, int]:
    """Units of some calls, one after the other."""
    tally = CallTally()
    tally.phase = "test"
    meter = Meter(tally)
    for operation, asked, answered in calls:
        meter.note(operation, asked, answered)
    return dict(tally.sections("units").get("units.test.all", {}))


def test_a_transaction_writes_twice_and_each_index_once() -> None:
    """A row of a unit in a table with one index is 3; a record of 1.5 KB is two units, so 4."""
    units = billed(written(subscriptions=SUBSCRIPTION, subscriptions_outbox=a_record(1500)))
    assert units[WRITE_UNITS] == 3 + 4


def test_a_row_that_moves_in_an_index_is_deleted_there_and_put_anew() -> None:
    """Stock is listed by status: allocated costs 2 + 1, deallocated 2 + 2."""
    rows = [
        {"subscriptionId": {"S": "s1"}, "status": {"S": status}, "created": {"S": "2026"}}
        for status in ("allocated", "deallocated")
    ]
    calls = [written(stock=row) for row in rows]
    assert billed(calls[0])[WRITE_UNITS] == 3
    assert billed(*calls)[WRITE_UNITS] == 3 + 4


def test_a_delete_costs_what_its_row_weighs() -> None:
    """A record of 1.5 KB takes two units to delete, and is known by its key."""
    key = {"aggregateId": {"S": "s1"}, "sequence": {"N": "1"}}
    requests = {"subscriptions-outbox": [{"DeleteRequest": {"Key": key}}]}
    deleted = ("BatchWriteItem", {"RequestItems": requests}, dict[str, Any]())
    units = billed(written(subscriptions_outbox=a_record(1500)), deleted)
    assert units[DELETE_UNITS] == 2


def test_a_read_that_finds_nothing_is_billed_like_a_small_one() -> None:
    """One unit reads 4 KB, and nothing at all."""
    found = {"Item": {"detail": {"S": "x" * 5000}}}
    assert billed(("GetItem", {}, {}))[READ_UNITS] == 1
    assert billed(("GetItem", {}, found))[READ_UNITS] == 2


def test_a_batch_of_messages_is_one_request_for_each_64_kilobytes() -> None:
    """Ten small messages are one request; two of 50 KB are two."""
    small = {"QueueUrl": "q.fifo", "Entries": [{"MessageBody": "x" * 500}] * 10}
    large = {"Messages": [{"Body": "x" * 50_000}] * 2}
    assert billed(("SendMessageBatch", small, {})) == {SQS_FIFO: 1}
    assert billed(("ReceiveMessage", {"QueueUrl": "q"}, large)) == {SQS_STANDARD: 2}


def test_a_row_weighs_its_names_its_texts_and_half_its_digits() -> None:
    """2 + 3 for a text, 1 + (2 / 2 + 1) for a number of two digits."""
    assert item_bytes({"ab": {"S": "xyz"}, "n": {"N": "42"}}) == 5 + 3
    nested = {"L": [{"M": {"ab": {"S": "xyz"}}}]}
    assert item_bytes({"l": nested}) == 1 + 3 + 1 + 3 + 1 + 5


def test_what_packing_spares_is_noted() -> None:
    """A row that takes one unit packed and two plain: two fewer to put, one fewer to delete."""
    detail = json.dumps({"text": "x" * 1200})
    row = {name: value for name, value in a_record(0).items() if name != "detail"}
    units = billed(written(subscriptions_outbox={**row, PACKED_DETAIL: {"B": packed(detail)}}))
    assert units[WRITE_UNITS] == 2
    assert units[PACKED_WRITE_UNITS] == 2
    assert units[PACKED_DELETE_UNITS] == 1
    plain = item_bytes({**row, "detail": {"S": detail}})
    assert units[OUTBOX_BYTES] == plain + 100
