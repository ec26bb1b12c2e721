"""What all processes of a stage may open in DocumentDB, beside what an instance allows."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from infra.aws.plan import Plan
from infra.documentdb_quotas import QUOTAS, DocumentDb, QuotaError, Quotas
from infra.documentdb_users import DATABASE_USERS
from infra.stages import Stage, StageError
from infra.topology import TOPOLOGY
from infra.workloads import Workload
from runtime.mongodb import Bounds

API, CONSUMER, RELAY = DATABASE_USERS
OWN = "000000000000"
STAGES = json.loads((Path(__file__).parents[2] / "cdk.json").read_text())["context"]["stages"]


def tasks_of(number: int) -> list[tuple[Workload, int]]:
    """So many of the API and of the consumer."""
    return [(API, number), (CONSUMER, number), (RELAY, 1)]


def test_the_quotas_are_those_of_awss_page() -> None:
    """Samples of each kind; a class has no less than the smaller ones of its family."""
    assert QUOTAS["db.t4g.medium"] == QUOTAS["db.t3.medium"] == Quotas(1000, 30, 50, 102)
    assert QUOTAS["db.r6g.large"] == QUOTAS["db.r5.large"] == Quotas(3400, 450, 200, 1100)
    assert QUOTAS["db.r8g.16xlarge"] == Quotas(60_000, 3040, 6400, 4500)
    assert QUOTAS["db.r8g.48xlarge"] == Quotas(60_000, 9120, 9600, 4500)
    for family in ("r5", "r6g", "r8g"):
        sizes = [quotas for name, quotas in QUOTAS.items() if f".{family}." in name]
        for smaller, larger in pairwise(sizes):
            assert all(a <= b for a, b in zip(smaller, larger, strict=True))


def test_a_task_may_open_what_its_work_needs() -> None:
    """The consumer lists nothing, and the relay starts no transaction."""
    stage = DocumentDb()
    assert stage.bounds_of(API) == Bounds(transactions=3, cursors=3, connections=5)
    assert stage.bounds_of(CONSUMER) == Bounds(transactions=3, cursors=0, connections=5)
    assert stage.bounds_of(RELAY) == Bounds(transactions=0, cursors=3, connections=5)
    assert stage.environment_of(CONSUMER) == {
        "MONGODB_MAX_TRANSACTIONS": "3",
        "MONGODB_MAX_CURSORS": "0",
        "MONGODB_MAX_CONNECTIONS": "5",
    }


@pytest.mark.parametrize("name", STAGES)
def test_the_stages_of_cdk_json_have_room(name: str) -> None:
    """For as many tasks as autoscaling may want, twice while they are deployed; and for more."""
    plan = Plan.of(Stage.of(name, STAGES), TOPOLOGY, OWN)
    most_tasks = [plan.most_tasks(each) for each in DATABASE_USERS]
    most = 3 if plan.stage.protected else 1
    assert most_tasks == [2 * most, 2 * most, 1]
    plan.stage.document_db.require_room(tasks_of(8))


def test_without_bounds_a_protected_stage_would_not_have_room() -> None:
    """20 threads for each queue of a consumer and 40 of an API: what a t4g.medium refuses."""
    threads = DocumentDb.model_validate({"maxTransactions": 20})
    with pytest.raises(QuotaError, match="may have 160 transactions open"):
        threads.require_room(tasks_of(4))


@pytest.mark.parametrize(
    ("given", "tasks", "fault"),
    [
        (
            {"maxTransactions": 7},
            4,
            (
                "may have 56 transactions open at a time (4 x 7 payment-api, 4 x 7"
                " payment-consumer, 1 x 0 payments-change-stream), and a db.t4g.medium allows 50:"
                " lower documentDb.maxTransactions or the number of tasks, or set"
                " documentDb.instanceClass to db.r6g.large, which allows 200"
            ),
        ),
        ({"maxCursors": 7}, 4, "may have 32 cursors open at a time (4 x 7 payment-api, 4 x 0 "),
        (
            {"maxConnections": 12},
            4,
            (
                "may have 109 connections open at a time (4 x 12 payment-api, 4 x 12"
                " payment-consumer, 1 x 12 payments-change-stream), and a db.t4g.medium allows"
                " 102: lower documentDb.maxConnections"
            ),
        ),
        ({}, 9, "may have 54 transactions open"),
        ({"instanceClass": "db.r6g.large", "maxTransactions": 30}, 4, "db.r6g.xlarge, which"),
        ({"maxTransactions": 1000}, 4, "db.r8g.24xlarge, which allows 9600"),
        ({"instanceClass": "db.r8g.48xlarge"}, 2000, "allows 9600: lower documentDb.max"),
    ],
)
def test_too_much_is_refused_with_the_setting_and_a_way_out(
    given: dict[str, Any], tasks: int, fault: str
) -> None:
    """A function of how many tasks there may be at most: whatever says so."""
    stage = DocumentDb.model_validate(given)
    with pytest.raises(QuotaError, match=re.escape(fault)):
        stage.require_room(tasks_of(tasks))


@pytest.mark.parametrize(
    ("document_db", "fault"),
    [
        ({"maxTransactions": 7}, "cdk.json, stage prod: all tasks, old and new ones"),
        ({"instanceClass": "db.t4g.huge"}, "documentDb.instanceClass"),
        ({"maxConnections": 1}, "documentDb.maxConnections"),
        ({"transactions": 7}, "documentDb.transactions"),
    ],
)
def test_a_stage_that_cannot_be_is_refused(document_db: dict[str, Any], fault: str) -> None:
    """At synth, with the stage's name."""
    stages = {"prod": {**STAGES["prod"], "documentDb": document_db}}
    with pytest.raises(StageError) as refused:
        Plan.of(Stage.of("prod", stages), TOPOLOGY, OWN)
    assert str(refused.value).startswith("cdk.json, stage prod: ")
    assert fault in str(refused.value)


def test_a_larger_class_makes_room() -> None:
    """As the sentence says."""
    larger = {"instanceClass": "db.r6g.large", "maxTransactions": 7}
    stages = {"prod": {**STAGES["prod"], "documentDb": larger}}
    Plan.of(Stage.of("prod", stages), TOPOLOGY, OWN)
