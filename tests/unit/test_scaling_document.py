"""docs/scaling.md has the tables that are computed, from inputs that the repository is set to."""

import re
from collections import Counter
from datetime import UTC, datetime
from inspect import signature
from math import isclose
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from contracts.causes import Cause
from infra.local_system.settings import ROOT
from runtime.outbox.dynamodb_rows import item_bytes
from runtime.sqs.consumer import Consumer
from services.stock import events as stock_events
from services.stock import store as stock_store
from services.stock.model import Stock
from services.subscription import events as subscription_events
from services.subscription import store as subscription_store
from services.subscription.model import Order, Subscription
from tests.builders import BY_BANK
from verification.benchmarks import inventory, scaling
from verification.benchmarks import scaling_inputs as inputs
from verification.benchmarks.pages import written
from verification.benchmarks.scaling import (
    DOCUMENT,
    blocks,
    events,
    invocations,
    messages,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ID = "8bafc8b9-58d6-5e6c-9256-db6c11513867"
EVERY_FIELD = Cause(ID, ID, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

ONLY_IN_WORDS = {
    "HTTP_ACCOUNT": "10 000 for an account",
    "FIFO_CALLS_HIGH": "70 000 calls",
    "IN_FLIGHT": "120 000 messages in flight",
    "PARALLELIZATION_MOST": "at most 10",
    "STREAM_POLL": "every 0.25 s",
    "TABLE_WCU": "40 000 for a table",
    "DELETES": "deleted 25 at a time",
    "BATCH_LINGER": "0.05 s at most",
}
"""Inputs that no table multiplies, and where the page quotes each."""


def test_document_has_the_tables_as_they_are_computed() -> None:
    """A changed input changes the page: `python -m verification.benchmarks.scaling --write`."""
    assert written(DOCUMENT.read_text(), blocks()) == DOCUMENT.read_text()


def test_document_has_no_other_tables_between_marks() -> None:
    """What is not computed any more is not left behind."""
    assert re.findall(r"<!-- (\w+) -->", DOCUMENT.read_text()) == list(blocks())


def test_each_input_has_a_source() -> None:
    """A quota and a measurement name their address, a constant of this repository its file."""
    assert len({each.name for each in inputs.INPUTS}) == len(inputs.INPUTS)
    for each in inputs.INPUTS:
        assert each.value > 0
        assert each.source
        is_address = each.source.startswith("https://")
        assert is_address == (each.kind in {"quota", "measurement"}), each
        if each.kind == "ours" and "/" in each.source:
            assert (ROOT / each.source).exists(), each


def test_each_input_is_used() -> None:
    """A table multiplies it, or the page quotes it."""
    arithmetic, page = Path(scaling.__file__).read_text(), DOCUMENT.read_text()
    used = set(re.findall(r"inputs\.([A-Z_0-9]+)", arithmetic)) - {"INPUTS"}
    names = {name for name, value in vars(inputs).items() if isinstance(value, inputs.Input)}
    assert names - used == set(ONLY_IN_WORDS)
    for name, words in ONLY_IN_WORDS.items():
        assert words in page
        assert f"{getattr(inputs, name).value:,g}".replace(",", " ") in words


def test_writing_changes_nothing_but_the_blocks() -> None:
    """The text around a block stays, and a block that is missing is an error."""
    text = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n"
    assert written(text, {"x": "new"}) == "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n"
    with pytest.raises(KeyError):
        written(text, {"y": "new"})


def test_settings_are_those_of_the_code() -> None:
    """Of a default, and of a stack: read from its source, since importing it would start CDK."""
    assert inputs.THREADS.value == signature(Consumer).parameters["concurrency"].default
    stack = (ROOT / "infra" / "aws" / "http.py").read_text()
    throttle = re.search(r"^REQUESTS_A_SECOND, BURST = (\d+), (\d+)$", stack, re.MULTILINE)
    assert throttle
    assert tuple(map(float, throttle.groups())) == (
        inputs.HTTP_THROTTLE.value,
        inputs.HTTP_BURST.value,
    )


def test_sixteen_shards_take_many_times_what_one_takes() -> None:
    """On rows whose transactions run one after the other: nearly sixteen times."""
    one, sixteen = inventory.stubbed(1), inventory.stubbed(16)
    assert isclose(one, inventory.arithmetic(1))
    assert 14 < sixteen / one <= 16


def test_lifecycle_is_what_the_topology_makes_of_it() -> None:
    """Six events, four messages in work queues, and 27 invocations with logs and archives."""
    assert events() == 6
    assert messages() == 4
    assert messages("stock-") == 2
    assert invocations() == 27


def test_rows_are_as_large_as_the_stores_write_them() -> None:
    """The largest row of a lifecycle, by table, in bytes as DynamoDB counts them."""
    client, sizes = Mock(), Counter[str]()
    write_subscription(client)
    write_stock(client)
    for call in client.transact_write_items.call_args_list:
        for put in (each["Put"] for each in call.kwargs["TransactItems"]):
            sizes[put["TableName"]] = max(sizes[put["TableName"]], item_bytes(put["Item"]))
    assert sizes == {
        "subscriptions": inputs.SUBSCRIPTION_ROW.value,
        "subscriptions-outbox": inputs.SUBSCRIPTION_RECORD.value,
        "stock": inputs.STOCK_ROW.value,
        "stock-outbox": inputs.STOCK_RECORD.value,
    }


def write_subscription(client: "DynamoDBClient") -> None:
    store = subscription_store.DynamoStore(
        client, table="subscriptions", outbox="subscriptions-outbox"
    )
    order = Order("12345678", "A Lovelace", "12-34-56", "Ada", "Lovelace", 2)
    active = Subscription.create(ID, order, request_digest="0" * 64, now=NOW)
    for after in (active, active.cancel(*BY_BANK, now=NOW)):
        record = subscription_events.record_of(after, EVERY_FIELD, event_id=ID)
        store.commit(after, record, replaces=None)


def write_stock(client: "DynamoDBClient") -> None:
    store = stock_store.DynamoStore(
        client, table="stock", outbox="stock-outbox", inventory="stock-inventory"
    )
    allocated = Stock.allocate(ID, 2, now=NOW)
    for after in (allocated, allocated.deallocate(now=NOW)):
        record = stock_events.record_of(after, EVERY_FIELD, event_id=ID)
        store.commit(after, record, replaces=None)
