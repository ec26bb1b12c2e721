"""docs/scaling.md has the tables that are computed, from inputs that the repository is set to."""

import json
import re
from base64 import b64encode
from collections import Counter
from datetime import UTC, datetime
from inspect import signature
from math import isclose
from pathlib import Path
from random import Random
from statistics import median
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
from verification.benchmarks import inventory, scaling, scaling_lifecycle, walls
from verification.benchmarks import scaling_inputs as inputs
from verification.benchmarks.pages import written
from verification.benchmarks.scaling import DOCUMENT, blocks
from verification.benchmarks.scaling_lifecycle import events, invocations, log_lines, messages

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ID = "8bafc8b9-58d6-5e6c-9256-db6c11513867"
EVENT_ID = "019ab0c0-3d1f-7c52-8e67-5b9f20d4a1c3"
REQUEST, EARLIER = "2b38d099-c131-4b42-b335-1a2c35ff6da3", "019ab0c0-1a44-7e08-9d35-f0617c2b8e94"
EVERY_FIELD = Cause(REQUEST, EARLIER, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

ONLY_IN_WORDS = {
    "FIFO_CALLS_HIGH": "70 000 calls",
    "IN_FLIGHT": "120 000 messages in flight",
    "PARALLELIZATION_MOST": "at most 10",
    "LOG_POLICIES": "at most 10 resource policies",
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
    files = (Path(str(each.__file__)) for each in (scaling, scaling_lifecycle, walls))
    arithmetic, page = "".join(each.read_text() for each in files), DOCUMENT.read_text()
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
    assert log_lines() == 10


def test_rows_are_as_large_as_the_stores_write_them() -> None:
    """The largest row of a lifecycle, by table, in bytes as DynamoDB counts them."""
    client, sizes = Mock(), Counter[str]()
    write_subscription(client)
    write_stock(client)
    for call in client.transact_write_items.call_args_list:
        for put in (each["Put"] for each in call.kwargs["TransactItems"]):
            sizes[put["TableName"]] = max(sizes[put["TableName"]], item_bytes(put["Item"]))
    packed = sizes.pop("subscriptions-outbox")  # another zlib may find a shorter form
    assert 0.9 * inputs.SUBSCRIPTION_RECORD.value < packed <= inputs.SUBSCRIPTION_RECORD.value
    assert sizes == {
        "subscriptions": inputs.SUBSCRIPTION_ROW.value,
        "stock": inputs.STOCK_ROW.value,
        "stock-outbox": inputs.STOCK_RECORD.value,
    }


def a_sealed_text(text: str) -> str:
    """What the SDK makes of it: 335 bytes more, in Base64, which do not pack."""
    return b64encode(Random(1).randbytes(335 + len(text))).decode()


def write_subscription(client: "DynamoDBClient") -> None:
    store = subscription_store.DynamoStore(
        client, table="subscriptions", outbox="subscriptions-outbox", pack=True
    )
    order = Order("12345678", "A Lovelace", "12-34-56", "Ada", "Lovelace", 2)
    active = Subscription.create(ID, order, request_digest="0" * 64, now=NOW)
    for after in (active, active.cancel(*BY_BANK, now=NOW)):
        record = subscription_events.record_of(
            after, EVERY_FIELD, event_id=EVENT_ID, version=2, seal=a_sealed_text
        )
        store.commit(after, record, replaces=None)


def write_stock(client: "DynamoDBClient") -> None:
    store = stock_store.DynamoStore(
        client, table="stock", outbox="stock-outbox", inventory="stock-inventory"
    )
    allocated = Stock.allocate(ID, 2, now=NOW)
    for after in (allocated, allocated.deallocate(now=NOW)):
        record = stock_events.record_of(after, EVERY_FIELD, event_id=EVENT_ID)
        store.commit(after, record, replaces=None)


def test_todays_rate_is_the_published_one() -> None:
    """What README calls customers through the whole system; a run differs from the next by less."""
    lines = json.loads((ROOT / "docs" / "performance.json").read_text())["lines"]
    (rate,) = (each["ours"]["values"] for each in lines if each["what"] == "sustainable rate")
    assert isclose(inputs.PUBLISHED_RATE.value, median(rate), rel_tol=0.3)


READER, WRITER = "one change stream, one reader", "DocumentDB's one writer"
BY_STATUS, LOGS = "one key of the index `by-status`", "PutLogEvents, all log groups of an account"
SHARDS, RULES = (
    "partitions, and so shards, of a new outbox",
    "rule invocations, all buses of an account",
)
FIFO, GATEWAY = "one FIFO queue, batches full", "API Gateway, all APIs of an account"
TABLE, BUS = "write units of one table", "PutEvents, batches full"
GET_RECORDS = "GetRecords of a new outbox's shards"


@pytest.mark.parametrize(
    ("times", "in_the_way"),
    [
        (1, []),
        (10, [READER, WRITER]),
        (100, [READER, WRITER, BY_STATUS, LOGS, SHARDS, RULES, FIFO]),
        (
            1000,
            [
                READER,
                WRITER,
                BY_STATUS,
                LOGS,
                SHARDS,
                RULES,
                FIFO,
                GATEWAY,
                TABLE,
                GET_RECORDS,
                BUS,
            ],
        ),
    ],
)
def test_walls_are_met_in_this_order(times: int, in_the_way: list[str]) -> None:
    """Those that are too low for a multiple of today's rate, 42 lifecycles a second."""
    assert walls.passed(times) == in_the_way


def test_each_wall_is_where_its_number_says() -> None:
    """Lifecycles a second, reckoned once more from the quotas and what a lifecycle takes."""
    found = {wall.name: wall.full_at for wall in walls.walls()}
    assert found == pytest.approx(
        {
            READER: 0.25 / (2 * 0.0006),
            WRITER: 500 / 2,
            BY_STATUS: 1000 / 2,
            LOGS: 5000 / 10,
            SHARDS: 4 * 1000 / (2 * 3),
            RULES: 18_750 / 27,
            FIFO: 300 * 10 / 2,
            GATEWAY: 10_000 / 2,
            TABLE: 40_000 / (2 * 3),
            GET_RECORDS: 4 * 4 * 1024 * 1024 / (2 * inputs.SUBSCRIPTION_RECORD.value),
            BUS: 10_000 * 10 / 6,
        }
    )


def test_a_shards_reader_is_never_behind_its_partition() -> None:
    """A partition writes at most 333 rows a second, of three units each; a reader reads 4 MB."""
    written = inputs.PARTITION_WCU.value / (inputs.TRANSACTION_FACTOR.value + 1)
    read = inputs.GET_RECORDS_BYTES.value / inputs.STREAM_POLL.value / inputs.WCU_BYTES.value
    assert written < read / 10
