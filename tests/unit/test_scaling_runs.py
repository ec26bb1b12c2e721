"""The simulation against itself: seeds, capacities, backlogs, and what each knob is for."""

from dataclasses import replace
from typing import Any

import pytest

from verification.benchmarks.scaling.capacity import bottleneck
from verification.benchmarks.scaling.events import ALLOCATED, CANCELLED, GIVEN_BACK, MEASURES, PAID
from verification.benchmarks.scaling.knobs import AS_DEPLOYED, MILLION, Knobs
from verification.benchmarks.scaling.runs import Run, play

LIVES = 600
"""Of fewer, some seeds pile up by chance what others do not."""

ROOMY = replace(
    AS_DEPLOYED, task_vcpu=1, http_rate=1000, api_tasks=8, stock_tasks=8, consumer_tasks=8, shards=8
)
"""Nothing is full at the rates of these tests."""


def short(knobs: Knobs, rate: float, *, seed: int = 1) -> Run:
    return play(knobs, rate, seed=seed, lives=LIVES)


def test_seed_decides_everything() -> None:
    """The same seed gives the same run, another one another."""
    first, same, other = (short(AS_DEPLOYED, 300, seed=seed) for seed in (1, 1, 2))
    assert first == same
    assert first.spreads != other.spreads


def test_everything_arrives_where_nothing_is_full() -> None:
    """Each of the four measures has a p50 under a second and a half, and nothing piles up."""
    run = short(AS_DEPLOYED, 300)
    assert run.backlog is None
    assert run.spreads.keys() == set(MEASURES)
    assert all(0.3 < spread.p50 < 1.5 for spread in run.spreads.values())
    assert all(spread.p50 < spread.p99 < 4 for spread in run.spreads.values())


@pytest.mark.parametrize(
    ("full", "stage", "late"),
    [
        ({"http_rate": 2, "http_burst": 2}, "subscription API", {ALLOCATED, PAID}),
        ({"stock_tasks": 1, "task_vcpu": 0.012}, "stock consumer", {ALLOCATED, GIVEN_BACK}),
        ({"document_commits": 4}, "payment consumer", {PAID}),
        ({"fifo_calls": 0.5}, "change stream", {GIVEN_BACK, CANCELLED}),  # its sends are throttled
        ({"invocations": 80}, "EventBridge", set(MEASURES)),
    ],
)
def test_backlog_stands_where_the_narrow_stage_is(
    full: dict[str, Any], stage: str, late: set[str]
) -> None:
    """With one stage made narrow, it is named, and what passes it is what is late."""
    base = short(ROOMY, 300)
    run = short(replace(ROOMY, **full), 300)
    assert base.backlog is None
    assert run.backlog is not None
    assert run.backlog == stage
    assert all(run.spreads[each].p99 > 2 * base.spreads[each].p99 for each in late)


@pytest.mark.parametrize("share", [0.75, 1.25])
def test_backlog_begins_where_arithmetic_says(share: float) -> None:
    """Below the first stage's capacity nothing is left over, above it more and more is."""
    narrow = replace(ROOMY, stock_tasks=1, task_vcpu=0.06)
    _, capacity = bottleneck(narrow)
    run = short(narrow, share * capacity * 60)
    assert (run.backlog is not None) == (share > 1)


def test_slice_has_its_part_of_everything() -> None:
    """A slice's capacity is the whole's, divided; what cannot be divided is refused."""
    _, whole = bottleneck(MILLION)
    _, part = bottleneck(MILLION.slice())
    assert part == pytest.approx(whole / MILLION.slices)
    with pytest.raises(ValueError, match="cannot be cut"):
        replace(MILLION, stock_tasks=250).slice()
