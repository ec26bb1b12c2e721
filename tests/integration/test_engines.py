"""The engines as the supervisor and the fixtures run them."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from pymongo import MongoClient

from infra.local_system.addresses import REPLICA_SET, mongodb_uri
from infra.local_system.environment import REGION
from infra.local_system.ports import LOOPBACK
from local import engines
from local.child import running_child, wait_until_listening
from local.process import Process
from local.replica_set import ensure_replica_set
from tests.conftest import MiniStack
from verification.testkit.ports import reserved_ports


@pytest.fixture
def ports() -> Iterator[list[int]]:
    with reserved_ports(2) as ports:
        yield ports


@contextmanager
def running(engine: Process, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    log = folder / "engine.log"
    with running_child(
        "the engine", engine.command, env=engine.env, log=log, stop_within=60
    ) as child:
        yield child
    assert child.returncode != -signal.SIGKILL, "the engine had to be killed"


def mongo(port: int) -> MongoClient[dict[str, Any]]:
    return MongoClient(mongodb_uri(port))


def test_the_shared_engines_answer(ministack: MiniStack, mongodb_uri: str) -> None:
    """The fixtures yield an AWS endpoint and a replica set that has a primary."""
    sqs = boto3.client("sqs", endpoint_url=ministack.endpoint, region_name=REGION)
    assert "ResponseMetadata" in sqs.list_queues()
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        assert client.admin.command("hello")["setName"] == REPLICA_SET


def test_mongod_keeps_its_state_and_is_initiated_once(tmp_path: Path, ports: list[int]) -> None:
    """What was written is there after a stop and a start; initiating again changes nothing."""
    port = ports[0]
    engine = engines.mongod_process(port, tmp_path)
    with running(engine, tmp_path):
        ensure_replica_set(mongodb_uri(port))
        with mongo(port) as client:
            before = client.admin.command("replSetGetConfig")["config"]
            client["payments"]["payments"].insert_one({"_id": "one"})
    with running(engine, tmp_path):
        ensure_replica_set(mongodb_uri(port))
        ensure_replica_set(mongodb_uri(port))
        with mongo(port) as client:
            after = client.admin.command("replSetGetConfig")["config"]
            assert client["payments"]["payments"].find_one() == {"_id": "one"}
    assert after["settings"]["replicaSetId"] == before["settings"]["replicaSetId"]
    assert after["version"] == before["version"]


def test_mongod_can_move_to_another_port(tmp_path: Path, ports: list[int]) -> None:
    """Data written under one port is served under another (MONGODB_PORT was changed)."""
    first, second = ports
    with running(engines.mongod_process(first, tmp_path), tmp_path):
        ensure_replica_set(mongodb_uri(first))
        with mongo(first) as client:
            client["payments"]["payments"].insert_one({"_id": "one"})
    with running(engines.mongod_process(second, tmp_path), tmp_path):
        ensure_replica_set(mongodb_uri(second))
        with mongo(second) as client:
            assert client["payments"]["payments"].find_one() == {"_id": "one"}


def test_ministack_keeps_its_state(
    tmp_path: Path, ports: list[int], sample_credentials: None
) -> None:
    """A message that was in a queue is there after a stop and a start."""
    port = ports[0]
    engine = engines.ministack_process(port, tmp_path)
    sqs = boto3.client("sqs", endpoint_url=f"http://{LOOPBACK}:{port}", region_name=REGION)
    with running(engine, tmp_path) as child:
        wait_until_listening(port, timeout=60, what="MiniStack", child=child)
        queue = sqs.create_queue(QueueName="letters")["QueueUrl"]
        sqs.send_message(QueueUrl=queue, MessageBody="still here")
    with running(engine, tmp_path) as child:
        wait_until_listening(port, timeout=60, what="MiniStack", child=child)
        received = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)
    assert [message["Body"] for message in received["Messages"]] == ["still here"]
