"""A system of a test's own as an operator reaches it: in this process, or as the command."""

import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any
from uuid import uuid4

from infra.local import provision
from infra.local_system.settings import ROOT
from infra.topology import TOPOLOGY, WORKLOADS
from local.child import running_child
from operations.__main__ import parser
from operations.databases import DatabaseEnvironment
from operations.output import Output
from operations.sources.origins import origins
from runtime.aws import Aws, CachingAws
from tests.conftest import MiniStack
from tests.dead_letters import as_attributes
from verification.testkit.fault_proxy import FaultProxy

DLQS = tuple(origins(TOPOLOGY, WORKLOADS))
QUEUES = (*DLQS, *(queue.name for queue in TOPOLOGY.queues if queue.redrive))
"""The dead-letter queues, and all."""


@dataclass
class Operated:
    """Everything of the topology in a region of its own; what the commands call goes by `gate`."""

    region: str
    aws: Aws
    gate: FaultProxy
    folder: Path
    mongodb_uri: str
    hold_seconds: int = 120

    @property
    def audit_file(self) -> Path:
        return self.folder / "audit.jsonl"

    @property
    def environment(self) -> DatabaseEnvironment:
        return DatabaseEnvironment(
            region=self.region,
            endpoint_url=self.gate.endpoint,
            mongodb_uri=self.mongodb_uri,
            mongodb_database=self.region,
            audit_file=self.audit_file,
            hold_seconds=self.hold_seconds,
        )

    def run(self, *argv: str) -> tuple[int, str]:
        """Run a command in this process; its exit code and what it printed for people."""
        printed = io.StringIO()
        arguments = parser().parse_args(argv)
        code = arguments.run(self.environment, arguments, Output(stdout=printed, stderr=printed))
        return int(code), printed.getvalue()

    def ask(self, *argv: str) -> tuple[int, Any]:
        return ask(self.environment, *argv)

    @contextmanager
    def command(self, *argv: str) -> Iterator[Popen[bytes]]:
        """Start a command as a process; its output goes to a file in the folder."""
        env = {
            "STREAMED_AT": "aws",
            "AWS_REGION": self.region,
            "AWS_ENDPOINT_URL": self.gate.endpoint,
            "MONGODB_URI": self.mongodb_uri,
            "MONGODB_DATABASE": self.region,
            "STREAMED_AUDIT_FILE": str(self.audit_file),
            "STREAMED_HOLD_SECONDS": str(self.hold_seconds),
        }
        command = [sys.executable, "-m", "operations", *argv]
        with running_child("streamed", command, env=env, cwd=ROOT, log=self.output) as child:
            yield child

    @property
    def output(self) -> Path:
        return self.folder / "output.log"

    def url(self, queue: str) -> str:
        return self.aws.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]

    def send(
        self, queue: str, *bodies: str, attributes: Mapping[str, str] | None = None, group: str = ""
    ) -> None:
        fifo: Any = {"MessageGroupId": group} if group else {}
        for body in bodies:
            deduplicated: Any = {"MessageDeduplicationId": uuid4().hex} if group else {}
            self.aws.client("sqs").send_message(
                QueueUrl=self.url(queue),
                MessageBody=body,
                MessageAttributes=as_attributes(attributes or {}),
                **fifo,
                **deduplicated,
            )

    def depth(self, queue: str) -> tuple[int, int]:
        """Messages that are visible, and that are hidden."""
        found = self.aws.client("sqs").get_queue_attributes(
            QueueUrl=self.url(queue), AttributeNames=["All"]
        )["Attributes"]
        return (
            int(found["ApproximateNumberOfMessages"]),
            int(found["ApproximateNumberOfMessagesNotVisible"]),
        )

    def drain(self, queue: str) -> list[str]:
        """Take everything out of a queue, in its order."""
        sqs, url, bodies = self.aws.client("sqs"), self.url(queue), list[str]()
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                bodies.append(message["Body"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies

    @contextmanager
    def lent(self) -> Iterator["Operated"]:
        """Hand it to a test as new: its queues empty, its audit trail unwritten, AWS in reach."""
        self.empty(QUEUES)
        self.audit_file.unlink(missing_ok=True)
        yield self
        self.gate.open()

    def empty(self, queues: Sequence[str]) -> None:
        for queue in queues:
            self.aws.client("sqs").purge_queue(QueueUrl=self.url(queue))

    def trail(self) -> list[dict[str, Any]]:
        if not self.audit_file.exists():
            return []
        return [json.loads(line) for line in self.audit_file.read_text().splitlines()]


def ask(environment: DatabaseEnvironment, *argv: str) -> tuple[int, Any]:
    """Run a command in this process with --json; its exit code and its document."""
    printed = io.StringIO()
    arguments = parser().parse_args([*argv, "--json"])
    output = Output(as_json=True, stdout=printed, stderr=io.StringIO())
    code = arguments.run(environment, arguments, output)
    return int(code), json.loads(printed.getvalue())


@contextmanager
def operated(ministack: MiniStack, mongodb_uri: str, folder: Path) -> Iterator[Operated]:
    region = f"test-{uuid4().hex[:8]}"
    aws = CachingAws(region=region, endpoint_url=ministack.endpoint)
    provision(aws)
    with FaultProxy(ministack.endpoint).running() as gate:
        yield Operated(region, aws, gate, folder, mongodb_uri)
