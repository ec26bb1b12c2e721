"""DocumentDB's users: each process does its work with its own rights, and nothing beyond."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure

from infra.documentdb_users import DATABASE_USERS, provision_users
from infra.topology import TOPOLOGY
from runtime.errors import Unavailable
from runtime.mongodb import Document, Mongo
from runtime.verdicts import Family
from services.payment.store import MongoStore
from tests.conftest import MiniStack
from tests.guarded_mongod import GuardedMongod, a_guarded_mongod
from tests.integration.test_mongodb_rotation import Payments
from tests.queues import make_queue
from tests.relay_world import a_world, mongo_settings, records
from tests.system import System

ARNS = {each.name: f"arn:aws:iam::123456789012:role/{each.name}" for each in DATABASE_USERS}
PASSWORD = "s/e:c@r%t"

(DATABASE,) = {each.database for each in TOPOLOGY.collections}

RIGHTS = {
    "payment-api": {"payments": {"find", "insert", "update"}, "outbox": {"find", "insert"}},
    "payment-consumer": {"payments": {"find", "insert", "update"}, "outbox": {"find", "insert"}},
    "payments-change-stream": {
        "": {"listCollections"},
        "outbox": {"changeStream", "find", "remove"},
    },
}
"""By process, its actions on each collection; "" is the database's own."""

Attempt = Callable[[Database[Document]], object]

BEYOND: dict[str, dict[str, Attempt]] = {
    "a service deletes a payment": {
        "payment-api": lambda db: db["payments"].delete_one({}),
        "payment-consumer": lambda db: db["payments"].delete_one({}),
    },
    "a service takes an event out of the outbox": {
        "payment-api": lambda db: db["outbox"].delete_one({}),
        "payment-consumer": lambda db: db["outbox"].update_one({}, {"$set": {"detail": ""}}),
    },
    "a relay reads who pays": {
        "payments-change-stream": lambda db: db["payments"].find_one(),
    },
    "a relay makes an event up": {
        "payments-change-stream": lambda db: db["outbox"].insert_one({}),
    },
    "anyone makes a user": {
        name: lambda db: db.client["admin"].command("createUser", "me", pwd="me", roles=["root"])
        for name in RIGHTS
    },
    "anyone makes an index": {
        name: lambda db: db["payments"].create_index([("created", 1)], name="mine")
        for name in RIGHTS
    },
    "anyone drops one": {name: lambda db: db["outbox"].drop_index("by-age") for name in RIGHTS},
    "anyone reads another database": {
        name: lambda db: db.client["elsewhere"]["any"].find_one() for name in RIGHTS
    },
}


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedMongod]:
    """With each role, and for each a user with a password too: mongod takes no IAM roles."""
    with a_guarded_mongod(tmp_path_factory.mktemp("guarded")) as started:
        started.provision(DATABASE)
        with MongoClient[Document](started.root_uri) as client:
            provision_users(client, ARNS)
            for each in DATABASE_USERS:
                client.admin.command("createUser", each.name, pwd=PASSWORD, roles=[each.name])
        yield started


def credentials_of(name: str) -> dict[str, str]:
    return {"MONGODB_USERNAME": name, "MONGODB_PASSWORD": PASSWORD}


def as_listed(client: MongoClient[Document]) -> tuple[list[Document], list[Document]]:
    users = client["$external"].command("usersInfo", 1)["users"]
    roles = client["admin"].command("rolesInfo", 1, showPrivileges=True)["roles"]
    return users, roles


def test_each_process_has_a_user_and_a_role_of_its_own(mongod: GuardedMongod) -> None:
    """The user is an IAM role, without a password, and has that one role and no other."""
    with MongoClient[Document](mongod.root_uri) as client:
        users, roles = as_listed(client)

    assert {each["user"]: each["roles"] for each in users} == {
        ARNS[name]: [{"role": name, "db": "admin"}] for name in RIGHTS
    }
    assert all("SCRAM-SHA-256" not in each["mechanisms"] for each in users)
    assert {
        role["role"]: {
            each["resource"]["collection"]: set(each["actions"]) for each in role["privileges"]
        }
        for role in roles
    } == RIGHTS
    assert {each["resource"]["db"] for role in roles for each in role["privileges"]} == {DATABASE}


def test_again_changes_nothing_and_repairs_what_drifted(mongod: GuardedMongod) -> None:
    """As each deployment does."""
    with MongoClient[Document](mongod.root_uri) as client:
        before = as_listed(client)
        provision_users(client, ARNS)
        assert as_listed(client) == before
        client.admin.command("updateRole", "payment-api", privileges=[], roles=["root"])
        root = [{"role": "root", "db": "admin"}]
        client["$external"].command("updateUser", ARNS["payment-consumer"], roles=root)
        provision_users(client, ARNS)
        assert as_listed(client) == before


def test_a_process_without_an_iam_role_stops_it_at_once(mongod: GuardedMongod) -> None:
    """Nothing was changed by then: the deployment names the process and is undone."""
    with MongoClient[Document](mongod.root_uri) as client:
        before = as_listed(client)
        with pytest.raises(KeyError, match="payments-change-stream"):
            provision_users(client, {"payment-api": "a", "payment-consumer": "b"})
        assert as_listed(client) == before


@pytest.mark.parametrize(
    ("name", "attempt"),
    [
        pytest.param(name, attempt, id=f"{what}: {name}")
        for what, attempts in BEYOND.items()
        for name, attempt in attempts.items()
    ],
)
def test_what_is_not_its_work_is_refused(
    mongod: GuardedMongod, name: str, attempt: Attempt
) -> None:
    """By the server, whatever the process asks for."""
    signed_in: dict[str, Any] = {"username": name, "password": PASSWORD}
    with MongoClient[Document](mongod.uri, **signed_in) as client:
        with pytest.raises(OperationFailure) as refusal:
            attempt(client[DATABASE])
        assert refusal.value.code == 13  # Unauthorized


def test_api_and_consumer_do_their_work(
    mongod: GuardedMongod, ministack: MiniStack, system: System, tmp_path: Path
) -> None:
    """A payment is created, listed and cancelled, and both events are in the outbox."""
    here = replace(system, mongodb_uri=mongod.uri, database=DATABASE)
    payments = Payments(mongod, here, tmp_path, make_queue(system.aws))
    with payments.running("consumer", **credentials_of("payment-consumer")) as consumer:
        consumer.until_ready()
        payments.until_handled(subscription_id := payments.order())
    with payments.running("api", **credentials_of("payment-api")) as api:
        api.until_ready()
        for path in ("/readyz", "/outbox", "/payments", f"/payments/{subscription_id}"):
            answer = api.get(path)
            assert answer is not None
            assert answer.status_code == 200, answer.text
        store = MongoStore(Mongo.at(mongod.root_uri, DATABASE, dict))
        response = httpx.patch(
            f"{api.url}/payments/{subscription_id}", json={"status": "cancelled"}, timeout=10
        )
        assert response.status_code == 200, response.text
        found = store.get(subscription_id)
    assert found is not None
    assert found.status == "cancelled"
    with MongoClient[Document](mongod.root_uri) as client:
        assert client[DATABASE]["outbox"].count_documents({"aggregateId": subscription_id}) == 2


def test_the_relay_does_its_work(
    mongod: GuardedMongod, ministack: MiniStack, tmp_path: Path
) -> None:
    """It sweeps what was there, follows the change stream, and deletes what the queue accepted."""
    with a_world(ministack, tmp_path, mongodb_uri=mongod.root_uri) as world:
        world.database = DATABASE
        world.create_fifo_queues()
        world.collection.delete_many({})
        world.insert(records(1, prefix="before"))
        settings = {**mongo_settings(world), "MONGODB_URI": mongod.uri}
        name = "payments-change-stream"
        with world.relay("change-stream", **{**settings, **credentials_of(name)}) as relay:
            world.insert(records(1, prefix="after"))
            world.until_collection_is_empty()
            assert relay.total("relay_events_published_total") == 2


@pytest.mark.parametrize(
    ("keys", "family"),
    [({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, Family.UNKNOWN), ({}, None)],
    ids=["no credentials", "a server that does not know IAM"],
)
def test_an_iam_role_that_cannot_sign_in_is_an_outage(
    mongod: GuardedMongod,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    keys: dict[str, str],
    family: Family | None,
) -> None:
    """Whether the task gets no credentials or the server refuses them: what waits is held."""
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    uri = f"{mongod.uri}&authMechanism=MONGODB-AWS&authSource=%24external"
    with pytest.raises(Unavailable) as raised:
        MongoStore(Mongo.at(uri, DATABASE, dict)).check()
    assert raised.value.family is (family or Family.CREDENTIALS)
