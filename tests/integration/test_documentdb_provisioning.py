"""The topology's collections on a real mongod, each test in a database of its own."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from infra.changes import CannotChangeError
from infra.documentdb import main, provision_collections
from infra.documentdb_users import DATABASE_USERS, rights_of
from infra.local_system.settings import ROOT
from infra.resources import CollectionIndex
from infra.topology import TOPOLOGY, Topology
from runtime.errors import Misconfigured

Document = dict[str, Any]


class Commands(CommandListener):
    """What was sent, and which error code it was refused with."""

    def __init__(self) -> None:
        self.sent: list[Document] = []
        self.refused: dict[str, int] = {}

    def started(self, event: CommandStartedEvent) -> None:
        self.sent.append(dict(event.command))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        self.refused[event.command_name] = int(event.failure["code"])


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture
def database(mongodb_uri: str, commands: Commands) -> Iterator[Database[Document]]:
    with MongoClient[Document](mongodb_uri, event_listeners=[commands]) as client:
        database = client[f"test-{uuid4().hex[:8]}"]
        yield database
        client.drop_database(database)


def indexes_of(database: Database[Document], collection: str) -> dict[str, Document]:
    return {index["name"]: dict(index["key"]) for index in database[collection].list_indexes()}


def test_collections_and_indexes_are_made(database: Database[Document]) -> None:
    """Both collections are there before their first document, with the indexes they need."""
    provision_collections(database)
    assert set(database.list_collection_names()) == {"payments", "outbox"}
    by_status = {"status": 1, "_id": 1}
    assert indexes_of(database, "payments") == {"_id_": {"_id": 1}, "by-status": by_status}
    assert list(indexes_of(database, "payments")["by-status"]) == list(by_status)
    assert indexes_of(database, "outbox") == {
        "_id_": {"_id": 1},
        "by-age": {"occurredAt": 1, "sequence": 1},
    }


def test_no_process_makes_an_index_or_a_collection() -> None:
    """Only what provisions does, once and before they start; their users may not, either."""
    makes = re.compile(r"create_index|create_collection|ensure_index|createIndexes")
    sources = [
        path
        for folder in ("services", "runtime", "relay")
        for path in (ROOT / folder).rglob("*.py")
    ]
    assert len(sources) > 50
    assert [path for path in sources if makes.search(path.read_text())] == []
    actions = {each for one in DATABASE_USERS for *_, its in rights_of(one) for each in its}
    assert actions == {"changeStream", "find", "insert", "listCollections", "remove", "update"}


def test_running_it_again_changes_nothing(database: Database[Document]) -> None:
    """The second run finds everything, keeps every document, and says so."""
    provision_collections(database)
    database["payments"].insert_one({"_id": "one"})
    assert str(provision_collections(database)) == "0 created, 0 updated, 0 removed"
    assert database["payments"].find_one() == {"_id": "one"}


def test_two_at_once_both_succeed(database: Database[Document]) -> None:
    """Tasks that start together and both provision do not trip over each other."""
    with ThreadPoolExecutor(4) as pool:
        reports = [pool.submit(provision_collections, database) for _ in range(4)]
        for report in reports:
            report.result()
    assert set(database.list_collection_names()) == {"payments", "outbox"}


def test_a_lost_index_is_made_again(database: Database[Document]) -> None:
    """An index that somebody dropped comes back."""
    provision_collections(database)
    database["payments"].drop_index("by-status")
    changes = [str(change) for change in provision_collections(database).changes]
    assert changes == ["created index payments.by-status"]


def test_an_index_with_other_keys_is_replaced(database: Database[Document]) -> None:
    """An index keeps its name and gets its keys."""
    database["outbox"].create_index([("occurredAt", -1)], name="by-age")
    changes = [str(change) for change in provision_collections(database).changes]
    assert "updated index outbox.by-age (keys)" in changes
    assert indexes_of(database, "outbox")["by-age"] == {"occurredAt": 1, "sequence": 1}


def test_an_index_under_another_name_is_refused(database: Database[Document]) -> None:
    """MongoDB keeps one index of the same keys, so the error says which one to drop."""
    database["outbox"].create_index([("occurredAt", 1), ("sequence", 1)], name="old-name")
    with pytest.raises(CannotChangeError, match=r"index outbox\.by-age: .*drop old-name"):
        provision_collections(database)


def test_what_an_operator_added_stays(database: Database[Document]) -> None:
    """Collections and indexes that the topology does not know are left alone."""
    database["notes"].insert_one({"_id": "mine"})
    database["payments"].create_index("accountNumber", name="in-need")
    provision_collections(database)
    assert "notes" in database.list_collection_names()
    assert "in-need" in indexes_of(database, "payments")


def test_change_streams_are_asked_for_where_someone_watches(
    database: Database[Document], commands: Commands
) -> None:
    """DocumentDB's command is sent for the outbox only; MongoDB does not know it and needs none."""
    provision_collections(database)
    asked = [each for each in commands.sent if "modifyChangeStreams" in each]
    assert [
        (each["database"], each["collection"], each["enable"], each["$db"]) for each in asked
    ] == [(database.name, "outbox", True, "admin")]
    assert commands.refused == {"modifyChangeStreams": 59}
    with database["outbox"].watch() as stream:
        assert stream.alive


def test_a_changed_topology_is_followed(database: Database[Document]) -> None:
    """A new index in the topology is the one change of the next run."""
    provision_collections(database)
    newer = CollectionIndex("by-account", (("accountNumber", 1),))
    domains = tuple(
        replace(
            domain,
            collections=tuple(
                replace(each, indexes=(*each.indexes, newer)) if each.name == "payments" else each
                for each in domain.collections
            ),
        )
        for domain in TOPOLOGY.domains
    )
    changes = provision_collections(database, Topology(domains)).changes
    assert [str(change) for change in changes] == ["created index payments.by-account"]


def test_the_command_tells_what_it_changed(
    mongodb_uri: str,
    database: Database[Document],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It prints each change and a summary, and next time only a summary of nothing."""
    monkeypatch.setenv("MONGODB_URI", mongodb_uri)
    monkeypatch.setenv("MONGODB_DATABASE", database.name)
    assert main() == 0
    assert "created collection outbox\n" in capsys.readouterr().out
    assert main() == 0
    assert capsys.readouterr().out == "0 created, 0 updated, 0 removed\n"


def test_the_command_names_every_missing_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without its settings it ends with one message that names both."""
    for name in ("MONGODB_URI", "MONGODB_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Misconfigured) as refusal:
        main()
    told = str(refusal.value)
    assert "MONGODB_URI" in told
    assert "MONGODB_DATABASE" in told


def test_the_command_takes_credentials_beside_the_uri(
    mongodb_uri: str,
    database: Database[Document],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As ECS hands a secret over: with the right password it works, with a wrong one it says so."""
    username, password = f"user-{database.name}", "s/e:c@r%t"
    database.client.admin.command("createUser", username, pwd=password, roles=["root"])
    monkeypatch.setenv("MONGODB_URI", mongodb_uri)
    monkeypatch.setenv("MONGODB_DATABASE", database.name)
    monkeypatch.setenv("MONGODB_USERNAME", username)
    monkeypatch.setenv("MONGODB_PASSWORD", password)
    assert main() == 0
    assert "created collection outbox\n" in capsys.readouterr().out
    monkeypatch.setenv("MONGODB_PASSWORD", "wrong-one")
    assert main() == 1
    told = capsys.readouterr().err
    assert "Authentication failed" in told
    assert "wrong-one" not in told


def test_the_command_says_when_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody listening is exit code 1 and a sentence with the address, not a traceback."""
    monkeypatch.setenv("MONGODB_URI", "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=100")
    monkeypatch.setenv("MONGODB_DATABASE", "payments")
    assert main() == 1
    assert "127.0.0.1:1" in capsys.readouterr().err
