"""The load runs of `make load` and the API's row of the benchmark, in a bearable size."""

from pathlib import Path
from uuid import uuid4

import pytest

from local.provision import provision_aws, provision_documentdb
from tests.conftest import MiniStack
from verification.benchmarks.rows.api import race
from verification.load import backlog, exhaustion, poison
from verification.load.outboxes import LoadedCollection, LoadedOutbox, LoadedTable
from verification.testkit.engines import Engines

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def engines(ministack: MiniStack, mongodb_uri: str, tmp_path: Path) -> Engines:
    """The topology in a region and a database that no other test uses."""
    unique = uuid4().hex[:8]
    found = Engines(
        ministack.endpoint, mongodb_uri, tmp_path, f"load-{unique}", f"payments-{unique}"
    )
    provision_aws(found.endpoint, region=found.region)
    provision_documentdb(found.mongodb_uri, found.database)
    return found


@pytest.mark.parametrize("kind", [LoadedTable, LoadedCollection])
def test_a_backlog_drains_and_new_events_do_not_wait_for_it(
    engines: Engines, kind: type[LoadedOutbox]
) -> None:
    """In bounded memory, each event once, and the oldest row's age is told truly all the while."""
    report = backlog.run(engines, 2_000, kind, calm=1)
    assert not report.broken, report.markdown()


def test_poison_is_set_aside_and_hardly_slows_the_good(engines: Engines) -> None:
    """Every kind of it is in the DLQ with its reason; what may pass is tried to the last receive.

    The bound on time is wide: this machine runs other tests.
    """
    report = poison.run(engines, 400, 40, slower=2)
    assert not report.broken, report.markdown()


def test_no_client_wears_a_process_out(engines: Engines) -> None:
    """Silent, slow, greedy and broken clients end; others are answered; SIGTERM still works.

    The bounds on time are wide: this machine runs other tests.
    """
    crowd = exhaustion.Crowd(connections=150, slow=8, greedy=2)
    report = exhaustion.run(
        engines,
        crowd,
        "subscription-api",
        "stock-consumer",
        at_once=2,
        slower_by=3,
        stops_within=60,
    )
    assert not report.broken, report.markdown()


def test_both_apis_answer_every_request_of_a_load(engines: Engines) -> None:
    """Throughput, p50 and p99, of ours beside the smallest app."""
    lines = race(engines, {"POST": [2]}, 0, seconds=2)
    assert [line.what for line in lines] == [
        f"POST, 2 connections{number}" for number in ("", ": p50", ": p99")
    ]
    assert all(line.ratio and line.ratio > 0 for line in lines)
    assert [line.what for line in lines if line.goal] == ["POST, 2 connections"]
