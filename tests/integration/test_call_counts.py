"""Calls to AWS cost money and time: one more than before is a decision, not an accident."""

from pathlib import Path
from uuid import uuid4

import pytest
from pymongo import MongoClient

from infra.documentdb import provision_collections
from infra.local import provision
from infra.local_system.environment import REGION
from runtime.mongodb import Document
from tests.conftest import MiniStack
from verification.benchmarks.calls import expected
from verification.benchmarks.calls.__main__ import count
from verification.benchmarks.calls.drain import DRAINED_EVENTS, STEPPED_DRAIN
from verification.benchmarks.calls.tally import total
from verification.testkit.engines import Engines


@pytest.fixture
def engines(ministack: MiniStack, mongodb_uri: str, tmp_path: Path) -> Engines:
    """The topology in a region and a database where nothing else goes on.

    Its name is as long as REGION: a sealed text has the ARN of its key in it.
    """
    unique = uuid4().hex
    region = f"calls-{unique}"[: len(REGION)]
    engines = Engines(ministack.endpoint, mongodb_uri, tmp_path, region, f"payments-{unique[:8]}")
    provision(engines.aws)
    with MongoClient[Document](mongodb_uri) as client:
        provision_collections(client[engines.database])
    return engines


def test_a_lifecycle_and_a_drain_take_exactly_the_calls_that_are_committed(
    engines: Engines,
) -> None:
    """From the POST to the subscription's end, each process calls AWS as often as it is to.

    In a drain it makes full batches of ten, full deletes of 25, and few reads: at most 0.15 calls
    an event. Lambda's batches of a hundred are four deletes and ten PutEvents each.
    """
    found = count(engines)
    differences = expected.changes(expected.load(), found)
    assert not differences, expected.complaint(differences)
    assert total(found, "calls", phase=STEPPED_DRAIN) / DRAINED_EVENTS <= 0.15
