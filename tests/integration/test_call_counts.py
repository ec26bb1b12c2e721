"""Calls to AWS cost money and time: one more than before is a decision, not an accident."""

from pathlib import Path
from uuid import uuid4

import pytest
from pymongo import MongoClient

from infra.documentdb import provision_collections
from infra.local import provision
from runtime.mongodb import Document
from tests.conftest import MiniStack
from verification.benchmarks.calls import expected
from verification.benchmarks.calls.drain import (
    DRAINED_EVENTS,
    STEPPED_DRAIN,
    count_lambda,
    count_stepped,
)
from verification.benchmarks.calls.lifecycle import count_lifecycle
from verification.benchmarks.calls.tally import Sections, total
from verification.testkit.engines import Engines


@pytest.fixture
def engines(ministack: MiniStack, mongodb_uri: str, tmp_path: Path) -> Engines:
    """The topology in a region and a database where nothing else goes on."""
    unique = uuid4().hex[:8]
    engines = Engines(
        ministack.endpoint, mongodb_uri, tmp_path, f"calls-{unique}", f"payments-{unique}"
    )
    provision(engines.aws)
    with MongoClient[Document](mongodb_uri) as client:
        provision_collections(client[engines.database])
    return engines


def test_a_lifecycle_takes_exactly_the_calls_that_are_committed(engines: Engines) -> None:
    """From the POST to the subscription's end, each process calls AWS as often as it is to."""
    _compare(count_lifecycle(engines).sections("calls", "units", "published"))


def test_a_drain_takes_exactly_the_calls_that_are_committed(engines: Engines) -> None:
    """Full batches of ten, full deletes of 25, and few reads: at most 0.15 calls an event."""
    found = count_stepped(engines).sections("calls")
    _compare(found)
    assert total(found, "calls", phase=STEPPED_DRAIN) / DRAINED_EVENTS <= 0.15


def test_a_drain_by_the_function_takes_exactly_the_calls_that_are_committed(
    engines: Engines,
) -> None:
    """Lambda's batches of a hundred are four deletes and ten PutEvents each."""
    _compare(count_lambda(engines).sections("calls"))


def _compare(found: Sections) -> None:
    """Hold counts to the committed ones of the same kinds and phases."""
    phases = {_phase(section) for section in found}
    committed = {name: each for name, each in expected.load().items() if _phase(name) in phases}
    differences = expected.changes(committed, found)
    assert not differences, expected.complaint(differences)


def _phase(section: str) -> tuple[str, ...]:
    kind, phase, _ = section.split(".")
    return kind, phase
