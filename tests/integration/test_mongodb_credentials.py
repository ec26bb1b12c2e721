"""Credentials beside the URI reach the server from everyone who uses MongoDB."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from pymongo import MongoClient

from runtime.errors import Unavailable
from runtime.mongodb import Document, Mongo
from runtime.settings import MongoSettings
from runtime.verdicts import Family
from services.payment.store import MongoStore
from tests.conftest import MiniStack
from tests.relay_world import a_world, mongo_settings
from verification.testkit.launcher import run_to_end

PASSWORD = "s/e:c@r%t"


@pytest.fixture
def username(mongodb_uri: str) -> Iterator[str]:
    name = f"user-{uuid4().hex[:8]}"
    with MongoClient[Document](mongodb_uri) as client:
        client.admin.command("createUser", name, pwd=PASSWORD, roles=["root"])
        yield name
        client.admin.command("dropUser", name)


def test_the_payment_service_signs_in(mongodb_uri: str, username: str) -> None:
    """With the right password it reads, with a wrong one it waits for another."""

    def check(password: str) -> None:
        settings = MongoSettings.model_validate(
            {
                "mongodb_uri": mongodb_uri,
                "mongodb_database": "payments",
                "mongodb_username": username,
                "mongodb_password": password,
            }
        )
        MongoStore(Mongo.of(settings)).check()

    check(PASSWORD)
    with pytest.raises(Unavailable, match="Authentication failed") as raised:
        check("wrong")
    assert raised.value.family is Family.CREDENTIALS


def test_the_relay_signs_in(
    ministack: MiniStack, mongodb_uri: str, username: str, tmp_path: Path
) -> None:
    """With the right password it works, with a wrong one it says so, and says no password."""
    with a_world(ministack, tmp_path, mongodb_uri=mongodb_uri) as world:
        world.provision_change_stream()
        for password, code in ((PASSWORD, 0), ("wrong-one", 2)):
            given = {"MONGODB_USERNAME": username, "MONGODB_PASSWORD": password}
            environment = world.environment(**mongo_settings(world), **given)
            ended, output = run_to_end(tmp_path, "relay", "sweep change-stream", environment)
            assert ended == code, output
            assert password not in output
    assert output.startswith("MongoDB is unavailable: code 18 AuthenticationFailed: ")
