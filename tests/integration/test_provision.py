"""The provisioner as a container runs it: one command, for engines that may be slow to come."""

import io
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import MagicMock
from uuid import uuid4

import pytest
from pymongo import MongoClient

from infra.local_system.addresses import mongodb_uri
from infra.local_system.environment import REGION
from infra.local_system.settings import LocalSettings
from infra.topology import TOPOLOGY
from local import engines
from local.child import running_child
from local.console import Console
from local.probes import emulator_at
from local.process_table import engine_processes
from local.provision import provision_aws, provision_documentdb
from local.supervisor import Supervisor
from local.system import _prepare_aws, _starting
from runtime.errors import Misconfigured
from runtime.signatures import secrets_of
from tests.conftest import MiniStack
from verification.testkit.fault_proxy import FaultProxy
from verification.testkit.launcher import run_to_end
from verification.testkit.ports import reserved_ports


@pytest.fixture
def fresh_mongodb_uri(tmp_path: Path) -> Iterator[str]:
    """A mongod that nobody has made a replica set yet; it may not even listen."""
    with reserved_ports(1) as (port,):
        engine = engines.mongod_process(port, tmp_path / "mongod")
        log = tmp_path / "mongod.log"
        with running_child("mongod", engine.command, env=engine.env, log=log):
            yield mongodb_uri(port)


def test_it_prepares_both_engines_and_changes_nothing_the_second_time(
    ministack: MiniStack, fresh_mongodb_uri: str, tmp_path: Path
) -> None:
    """A mongod fresh from its image becomes a replica set; every change is said, once."""
    database = f"provision-{uuid4().hex[:8]}"
    secret = tmp_path / "webhook-secret"
    env = {
        "WEBHOOK_SECRETS_FILE": str(secret),
        "AWS_ENDPOINT_URL": ministack.endpoint,
        "MONGODB_URI": fresh_mongodb_uri,
        "MONGODB_DATABASE": database,
    }

    code, output = run_to_end(tmp_path, "local.provision", "", env)
    assert code == 0, output
    assert "created collection outbox" in output
    with MongoClient[dict[str, object]](fresh_mongodb_uri) as client:
        assert set(client[database].list_collection_names()) == {
            collection.name for collection in TOPOLOGY.collections
        }

    made = secret.read_text()
    assert secrets_of(made)
    assert secret.stat().st_mode & 0o777 == 0o600

    code, output = run_to_end(tmp_path, "local.provision", "", env)
    assert code == 0, output
    assert secret.read_text() == made
    assert "DocumentDB: 0 created, 0 updated, 0 removed" in output
    assert "AWS: 0 created, 0 updated, 0 removed" in output


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    """Exit code 2, and every variable in one message."""
    code, output = run_to_end(tmp_path, "local.provision", "", {})
    assert code == 2
    for name in ("AWS_ENDPOINT_URL", "MONGODB_URI", "MONGODB_DATABASE"):
        assert name in output


def test_aws_itself_is_refused(tmp_path: Path, mongodb_uri: str) -> None:
    """Exit code 2 before any call: AWS is deployed to with CloudFormation."""
    env = {
        "AWS_ENDPOINT_URL": "https://sqs.eu-west-1.amazonaws.com",
        "MONGODB_URI": mongodb_uri,
        "MONGODB_DATABASE": f"provision-{uuid4().hex[:8]}",
    }
    code, output = run_to_end(tmp_path, "local.provision", "", env)
    assert code == 2
    assert "AWS itself" in output


@pytest.fixture
def unknown(ministack: MiniStack) -> Iterator[FaultProxy]:
    """An emulator that does not say of which kind it is."""
    with FaultProxy(ministack.endpoint).running() as proxy:
        proxy.refuse("", 404, "NotFound")  # what is no call of AWS's, such as a health path
        yield proxy


def test_an_emulator_of_an_unknown_kind_is_warned_of_once(
    unknown: FaultProxy, ministack: MiniStack, mongodb_uri: str, tmp_path: Path
) -> None:
    """And provisioned all the same. The sentence says how to find out what it fakes."""
    assert emulator_at(ministack.endpoint) == "MiniStack"
    env = {
        "AWS_ENDPOINT_URL": unknown.endpoint,
        "MONGODB_URI": mongodb_uri,
        "MONGODB_DATABASE": f"provision-{uuid4().hex[:8]}",
    }

    code, output = run_to_end(tmp_path, "local.provision", "", env)

    assert code == 0, output
    assert output.count("is neither MiniStack nor LocalStack") == 1
    assert f"`make conformance AWS={unknown.endpoint}`" in output


def test_make_up_warns_once_of_an_emulator_of_an_unknown_kind(
    unknown: FaultProxy, tmp_path: Path
) -> None:
    """One that EMULATOR_URL names, in place of MiniStack; of those that we know it says nothing."""
    settings = LocalSettings(emulator_url=unknown.endpoint, state_dir=tmp_path)
    assert [each.name for each in engine_processes(settings)] == ["mongod"]
    said = io.StringIO()
    for refused in (True, False):
        if not refused:
            unknown.open()
        summary = _prepare_aws(MagicMock(spec=Supervisor), settings, Console(said, coloured=False))
        assert "created" in summary
    assert said.getvalue().count("warning: the emulator at") == 1
    assert _starting(settings).endswith(f"AWS is {unknown.endpoint}")


def test_an_engine_that_does_not_answer_is_waited_for_with_a_bound() -> None:
    """It says who did not answer, where, and for how long."""
    with reserved_ports(1) as (port,):
        with pytest.raises(TimeoutError, match=rf":{port}/.* did not answer within 0.3 s"):
            provision_aws(f"http://127.0.0.1:{port}", region=REGION, answers_within=0.3)
        with pytest.raises(TimeoutError, match=rf"mongod did not listen on port {port} within"):
            provision_documentdb(mongodb_uri(port), "payments", answers_within=0.3)


@pytest.mark.parametrize("uri", ["mongodb://127.0.0.1:1/", "mongodb://127.0.0.1:none/"])
def test_a_uri_that_cannot_be_used_is_a_setting_to_mend(uri: str) -> None:
    """Without the set's name there is none to make."""
    with pytest.raises(Misconfigured, match="MONGODB_URI: "):
        provision_documentdb(uri, "payments", answers_within=0.3)
