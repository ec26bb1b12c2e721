"""How many tasks of each process a stage may run: the one table, and what it has to respect."""

from typing import Any

import pytest

from infra.scaling import SCALING, most_tasks, scaling_of
from infra.stages import Stage
from infra.topology import WORKLOADS
from infra.workloads import Workload

SERVICES = [workload for workload in WORKLOADS if workload.empties is None]

DOCUMENTDB_TRANSACTIONS = 50
"""Open at a time, in a db.t4g.medium:
https://docs.aws.amazon.com/documentdb/latest/developerguide/limits.html
"""


def stage(**given: Any) -> Stage:
    return Stage.of("any", {"any": {"region": "eu-west-1", **given}})


def test_most_tasks_are_those_of_the_table() -> None:
    """Of every service of a protected stage; another one runs one of each."""
    protected = stage(protected=True, alarmEmail="oncall@example.com")
    assert most_tasks(protected) == {each.name: scaling_of(each).most for each in SERVICES}
    assert most_tasks(stage()) == {each.name: 1 for each in SERVICES}


def test_every_row_of_the_table_is_some_processs() -> None:
    """By its name or by its kind; none is left of a process that is no more."""
    rows = [scaling_of(each) for each in SERVICES]
    assert [name for name, row in SCALING.items() if row not in rows] == []


@pytest.mark.parametrize("workload", SERVICES, ids=lambda workload: workload.name)
def test_what_scales_has_a_target_and_what_does_not_has_none(workload: Workload) -> None:
    """And the loss of a zone leaves one of two, but for an outbox's relay, which is alone."""
    scaling = scaling_of(workload)
    assert scaling.least == (1 if workload.relays_outbox else 2)
    targets = (scaling.processor, scaling.requests, scaling.backlog)
    assert scaling.is_fixed == workload.is_relay == (not any(targets))
    assert scaling.least <= scaling.most


def test_payments_leave_each_of_their_tasks_transactions_to_open() -> None:
    """Twice as many tasks run while a release is rolled out: at least four for each of them."""
    tasks = sum(
        2 * scaling_of(each).most
        for each in SERVICES
        if each.uses_documents and not each.relays_outbox
    )
    assert DOCUMENTDB_TRANSACTIONS // tasks >= 4
