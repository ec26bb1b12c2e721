"""docs/scaling.md says what the model says, and the model what the repository is set to."""

import re
from inspect import signature
from pathlib import Path

import pytest

from infra.local_system.settings import ROOT
from relay.__main__ import FORWARDERS
from relay.adapters.dynamodb import MAX_DELETES
from relay.adapters.eventbridge import LIMITS
from relay.pipeline import PUBLISHERS
from runtime.sqs.consumer import GATHERS, Consumer
from runtime.sqs.queue import MAX_BATCH
from verification.benchmarks.pages import block, written
from verification.benchmarks.scaling import inputs
from verification.benchmarks.scaling.__main__ import DOCUMENT, PLOT, fixed_blocks
from verification.benchmarks.scaling.events import MEASURES
from verification.benchmarks.scaling.inputs import INPUTS
from verification.benchmarks.scaling.knobs import STEPS
from verification.benchmarks.scaling.lifecycle import EVENTS, invocations, queued
from verification.benchmarks.scaling.plot import draw
from verification.benchmarks.scaling.runs import Run, Spread
from verification.benchmarks.scaling.tables import onset_table, result_table


@pytest.mark.parametrize("name", fixed_blocks())
def test_document_has_the_tables_as_they_are_computed(name: str) -> None:
    """Whoever changes an input writes the document anew: `make scaling`, with --write."""
    assert block(DOCUMENT.read_text(), name) == fixed_blocks()[name]


@pytest.mark.parametrize("name", ["results", "onset"])
def test_document_has_what_the_simulation_found(name: str) -> None:
    """The results are there; to play them anew takes too long for a test."""
    assert block(DOCUMENT.read_text(), name).count("\n") > 3
    assert PLOT.exists()


def test_each_input_says_what_it_is() -> None:
    """A quota and a measurement name their address, a constant of ours its file or its way."""
    assert len({each.name for each in INPUTS}) == len(INPUTS)
    for each in INPUTS:
        is_address = each.source.startswith("https://")
        assert is_address == (each.kind in {"quota", "measurement"}), each
        if each.kind == "ours" and "/" in each.source:
            assert (ROOT / each.source).exists(), each


def test_writing_changes_nothing_but_the_blocks() -> None:
    """What stands around a block stays, and a block that is missing is an error."""
    text = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n"
    assert written(text, {"x": "new"}) == "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n"
    with pytest.raises(KeyError):
        written(text, {"y": "new"})


def test_picture_of_the_same_runs_is_the_same(tmp_path: Path) -> None:
    """No date and no chance is in the SVG: git sees a change only where a number changed."""
    spreads = dict.fromkeys(MEASURES, Spread(0.6, 1.2))
    runs = [
        Run(knobs, rate, spreads, backlog=None if rate < 200 else "somewhere")
        for knobs in STEPS
        for rate in (100.0, 200.0)
    ]
    first, second = tmp_path / "first.svg", tmp_path / "second.svg"
    draw(runs, first)
    draw(runs, second)
    assert first.read_bytes() == second.read_bytes()
    assert "keeps up" in onset_table(runs)
    assert "somewhere" in result_table(runs)


def test_settings_are_those_of_the_code() -> None:
    """Each constant of ours has the value that the running code has."""
    assert inputs.DELETES.value == MAX_DELETES
    assert inputs.PUBLISHERS.value == PUBLISHERS
    assert inputs.FORWARDERS.value == FORWARDERS
    assert inputs.GATHERS.value == GATHERS
    assert inputs.THREADS.value == signature(Consumer).parameters["concurrency"].default
    assert inputs.PUT_EVENTS_ENTRIES.value == LIMITS.entries
    assert inputs.SQS_BATCH.value == MAX_BATCH


def test_settings_are_those_of_the_stacks() -> None:
    """Read from the source: importing it would start CDK."""
    aws = ROOT / "infra" / "aws"
    assert inputs.BATCH_SIZE.value == constant(aws / "relays.py", "BATCH_SIZE")
    assert inputs.LAMBDA_MEMORY.value == constant(aws / "relays.py", "MEMORY")
    assert inputs.TASK_VCPU.value * 1024 == pair(aws / "tasks.py", "CPU, MEMORY")[0]
    throttle = pair(aws / "http.py", "REQUESTS_A_SECOND, BURST")
    assert throttle == (inputs.HTTP_THROTTLE.value, inputs.HTTP_BURST.value)


def test_lifecycle_is_what_the_topology_makes_of_it() -> None:
    """Six events, four messages in work queues, and 28 invocations with logs and archives."""
    assert EVENTS == 6
    assert set(queued().values()) == {1}
    assert queued().total() == 4
    assert invocations() == 28


def constant(path: Path, name: str) -> float:
    found = re.search(rf"^{name} = (\d+)$", path.read_text(), re.MULTILINE)
    assert found, name
    return float(found[1])


def pair(path: Path, names: str) -> tuple[float, float]:
    found = re.search(rf"^{names} = (\d+), (\d+)$", path.read_text(), re.MULTILINE)
    assert found, names
    return float(found[1]), float(found[2])
