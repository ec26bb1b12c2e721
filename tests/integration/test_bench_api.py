"""The API's row of the benchmark, in a size that a test suite can bear."""

from pathlib import Path
from uuid import uuid4

import pytest

from local.provision import provision_aws
from tests.conftest import MiniStack
from verification.benchmarks.rows.api import race
from verification.testkit.engines import Engines


@pytest.fixture
def engines(ministack: MiniStack, tmp_path: Path) -> Engines:
    """The topology in a region that no other test uses; no API asks DocumentDB for anything."""
    found = Engines(ministack.endpoint, "", tmp_path, f"bench-{uuid4().hex[:8]}")
    provision_aws(found.endpoint, region=found.region)
    return found


def test_both_apis_answer_every_request_of_a_load(engines: Engines) -> None:
    """Throughput, p50 and p99, of ours beside the smallest app."""
    lines = race(engines, {"POST": [2]}, 0, seconds=5)
    assert [line.what for line in lines] == [
        f"POST, 2 connections{number}" for number in ("", ": p50", ": p99")
    ]
    assert all(line.ratio and line.ratio > 0 for line in lines)
    assert [line.what for line in lines if line.goal] == ["POST, 2 connections"]
