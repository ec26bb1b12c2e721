"""The CLI over outboxes and dead-letter queues that other drivers filled: it says so."""

from typing import Any

import pytest
from pymongo import MongoClient

from runtime.http.outbox_endpoint import MOST_COUNTED
from runtime.mongodb import Mongo
from runtime.outbox.mongodb import MongoOutbox
from tests.builders import START
from tests.dead_letters import a_record_body
from tests.hostile import as_bson, as_item, bson_values, dynamodb_values, times
from tests.integration.operated import Operated

ITEMS = [each for each in (*times(START), *dynamodb_values(START)) if each.is_malformed]
DOCUMENTS = [each for each in (*times(START), *bson_values(START)) if each.is_malformed]
END_OF_TIME = "9999-12-31T23:59:59.999-01:00"


@pytest.fixture(scope="module")
def system(operated_system: Operated) -> Operated:
    """Every kind of malformed row in an outbox of each database; no relay is at work."""
    client = operated_system.aws.client("dynamodb")
    for number, odd in enumerate(ITEMS):
        item = as_item(f"item{number}", odd, START)
        client.put_item(TableName="stock-outbox", Item=item)
    with MongoClient[dict[str, Any]](operated_system.mongodb_uri) as mongo:
        documents: Any = [as_bson(f"doc{n}", odd, START) for n, odd in enumerate(DOCUMENTS)]
        mongo[operated_system.region]["outbox"].insert_many(documents)
    return operated_system


def test_status_counts_every_row(system: Operated) -> None:
    """Those without an age too: what never leaves is never invisible."""
    code, found = system.ask("status")
    waiting = {each["name"]: each["waiting"] for each in found["places"]}
    assert code == 1
    assert waiting["stock-outbox"] == len(ITEMS)
    assert waiting["payments.outbox"] == len(DOCUMENTS)


def test_audit_tells_of_every_row(system: Operated) -> None:
    """By its outbox, its key and what is wrong with it."""
    code, found = system.ask("audit", "--settle", "0")
    shown = [each for each in found["differences"] if "no event can be made of" in each["hint"]]
    assert code == 1
    assert len(shown) == len(ITEMS) + len(DOCUMENTS)
    assert {each["place"] for each in shown} == {"stock-outbox", "payments.outbox"}


@pytest.mark.parametrize("name", ["item0", "doc0", f"doc{len(DOCUMENTS) - 1}"])
def test_where_finds_a_row_by_its_aggregate(system: Operated, name: str) -> None:
    """And says why it will not be published."""
    _, printed = system.run("where", name)
    assert "which cannot publish it" in printed


def test_a_redrive_of_all_leaves_what_cannot_be_sent(system: Operated) -> None:
    """Times at the end of the calendar and encoded bodies stay; what is good goes."""
    broken = a_record_body("a", 1).replace("2026-11-23T09:30:00.000Z", END_OF_TIME)
    system.send("stock-dlq", broken, a_record_body("b", 1))
    system.send("stock-dlq", "AAAA", attributes={"bodyEncoding": "base64-bson"})
    system.send("payment-events-dlq.fifo", broken, group="a")
    for command in ("list", "redrive --all-queues --all", "list"):
        code, printed = system.run("dlq", *command.split())
        assert "Traceback" not in printed
        assert code == (1 if command.startswith("redrive") else 0)
    assert sorted(system.drain("stock-dlq")) == sorted(["AAAA", broken])
    assert system.drain("payment-events-dlq.fifo") == [broken]


def test_the_services_count_every_row(system: Operated, mongodb_uri: str) -> None:
    """GET /outbox: a row without an age is one more, and hides no age of another."""
    with MongoClient[dict[str, Any]](mongodb_uri) as mongo:
        outbox = MongoOutbox(Mongo(mongo[system.region]), "outbox")
        before = outbox.stats(limit=MOST_COUNTED)
        odd = [each for each in (*times(START), *bson_values(START)) if not each.is_malformed]
        documents: Any = [as_bson(f"good{n}", each, START) for n, each in enumerate(odd)]
        mongo[system.region]["outbox"].insert_many(documents)
        after = outbox.stats(limit=MOST_COUNTED)
    assert before.depth == len(DOCUMENTS)
    assert (after.depth, after.at_least) == (len(DOCUMENTS) + len(odd), False)
    assert after.oldest == min(each.occurred for each in odd if each.occurred)
