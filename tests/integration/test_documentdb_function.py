"""The provisioner on AWS: what CloudFormation asks of it, and what it answers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from infra.documentdb_function import handle
from infra.documentdb_users import DATABASE_USERS
from infra.local_system.ports import LOOPBACK
from runtime.mongodb import Document
from tests.guarded_mongod import ROOT, GuardedMongod, a_guarded_mongod
from tests.threads import served

ARNS = {each.name: f"arn:aws:iam::123456789012:role/{each.name}" for each in DATABASE_USERS}
SECRET = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!cluster-1-abc"

CLUSTERS = f"""<DescribeDBClustersResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/">
<DescribeDBClustersResult><DBClusters><DBCluster><DBClusterIdentifier>c</DBClusterIdentifier>
<MasterUserSecret><SecretArn>{SECRET}</SecretArn></MasterUserSecret></DBCluster></DBClusters>
</DescribeDBClustersResult></DescribeDBClustersResponse>"""


@dataclass
class Cloud:
    """DocumentDB's API, Secrets Manager with `password`, and the place for an answer."""

    password: str = ROOT
    answers: list[dict[str, Any]] = field(default_factory=list)
    types: list[str | None] = field(default_factory=list)
    url: str = ""

    def of_aws(self, body: str) -> str:
        if "Action=DescribeDBClusters" in body:
            assert "DBClusterIdentifier=the-cluster" in body
            return CLUSTERS
        assert json.loads(body) == {"SecretId": SECRET}
        secret = {"username": ROOT, "password": self.password}
        return json.dumps({"SecretString": json.dumps(secret)})

    @contextmanager
    def running(self) -> Iterator["Cloud"]:
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self._reply(cloud.of_aws(self._body()))

            def do_PUT(self) -> None:
                cloud.answers.append(json.loads(self._body()))
                cloud.types.append(self.headers["Content-Type"])
                self._reply("")

            def _body(self) -> str:
                return self.rfile.read(int(self.headers["Content-Length"])).decode()

            def _reply(self, text: str) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        with served(server):
            self.url = f"http://{LOOPBACK}:{server.server_port}"
            yield self


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Cloud().running() as running:
        yield running


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedMongod]:
    with a_guarded_mongod(tmp_path_factory.mktemp("guarded")) as started:
        yield started


@pytest.fixture(autouse=True)
def _its_environment(
    cloud: Cloud, mongod: GuardedMongod, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in {
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": cloud.url,
        "MONGODB_URI": mongod.uri,
        "MONGODB_DATABASE": "payments",
    }.items():
        monkeypatch.setenv(name, value)


def asked(cloud: Cloud, kind: str, users: dict[str, str] | None = None) -> dict[str, Any]:
    """Call the function as CloudFormation does; returns its answer, of which there is one."""
    handle(
        {
            "RequestType": kind,
            "ResponseURL": f"{cloud.url}/answer?signature=s",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Made",
            "ResourceProperties": {
                "Cluster": "the-cluster",
                "Users": ARNS if users is None else users,
            },
        },
        None,
    )
    (answer,) = cloud.answers
    assert cloud.types == [None]  # its URL is signed for no type
    assert (
        answer.items()
        >= {
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Made",
            "PhysicalResourceId": "documentdb-provisioner",
        }.items()
    )
    return answer


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_collections_and_users_are_there_before_it_answers(
    cloud: Cloud, mongod: GuardedMongod, kind: str
) -> None:
    """It signs in with the password that Secrets Manager has now."""
    assert asked(cloud, kind)["Status"] == "SUCCESS"
    with MongoClient[Document](mongod.root_uri) as client:
        assert set(client["payments"].list_collection_names()) == {"payments", "outbox"}
        users = client["$external"].command("usersInfo", 1)["users"]
    assert {each["user"] for each in users} == set(ARNS.values())


def test_a_deletion_touches_nothing(
    cloud: Cloud, mongod: GuardedMongod, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is answered at once, even where nothing can be reached any more."""
    monkeypatch.setenv("MONGODB_URI", "mongodb://127.0.0.1:1")
    assert asked(cloud, "Delete")["Status"] == "SUCCESS"


def test_what_fails_is_said_and_undoes_the_deployment(
    cloud: Cloud, mongod: GuardedMongod, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refused password is named as such, and is in neither the answer nor the log."""
    cloud.password = "not-the-password"
    answer = asked(cloud, "Create")
    assert answer["Status"] == "FAILED"
    assert "Authentication failed" in answer["Reason"]
    assert cloud.password not in json.dumps(answer) + capsys.readouterr().out


def test_a_process_without_a_role_is_named(cloud: Cloud, mongod: GuardedMongod) -> None:
    """So is a setting that is missing: whatever it is, CloudFormation does not wait for it."""
    answer = asked(cloud, "Create", {})
    assert answer["Status"] == "FAILED"
    assert "payment-api" in answer["Reason"]
    assert len(answer["Reason"]) <= 1000
