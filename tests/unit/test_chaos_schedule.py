"""The schedule of faults: drawn from a seed, dense enough, with room to recover."""

from itertools import pairwise

import pytest

from runtime.verdicts import Family
from verification.chaos.schedule import (
    ENDPOINTS,
    MONGOD,
    REFUSALS_OF_A_SERVICE,
    REFUSALS_OF_AWS,
    SERVICE_TARGETS,
    WORKLOAD_NAMES,
    draw_clocks,
    draw_faults,
)
from verification.testkit.injected_fault import FaultKind

STANDARD_RUN = 600
SEEDS = range(50)


def test_a_seed_gives_the_same_schedule_again_and_another_seed_another() -> None:
    """What a seed found can be had again."""
    assert draw_faults(1, STANDARD_RUN) == draw_faults(1, STANDARD_RUN)
    assert draw_faults(1, STANDARD_RUN) != draw_faults(2, STANDARD_RUN)
    assert draw_clocks(1) == draw_clocks(1)


@pytest.mark.parametrize("seed", SEEDS)
def test_ten_minutes_hold_a_hundred_faults_of_every_kind_on_every_target(seed: int) -> None:
    """The standard run leaves nothing out, and every fault in it ends in time."""
    faults = draw_faults(seed, STANDARD_RUN)
    assert len(faults) >= 100
    assert {fault.kind for fault in faults} == {
        *FaultKind,
        *REFUSALS_OF_AWS,
        *REFUSALS_OF_A_SERVICE,
    }
    assert {fault.target for fault in faults if fault.kind is Family.KEYS} == set(SERVICE_TARGETS)
    killed = {fault.target for fault in faults if fault.kind is FaultKind.KILL}
    assert killed == {*WORKLOAD_NAMES, MONGOD}
    assert {fault.target for fault in faults if fault.kind is FaultKind.CUT} == set(ENDPOINTS)
    assert all(fault.duration > 0 and fault.end <= STANDARD_RUN for fault in faults)
    assert all(0 < fault.chance <= 1 for fault in faults)


@pytest.mark.parametrize("seed", SEEDS)
def test_after_each_fault_what_it_hit_has_time_to_recover(seed: int) -> None:
    """One process at a time is down, one fault at a time is on at the endpoint, with pauses."""
    faults = draw_faults(seed, STANDARD_RUN)
    for lane, pause in (
        ([fault for fault in faults if fault.target not in ENDPOINTS], 3),
        ([fault for fault in faults if fault.target in ENDPOINTS], 2),
    ):
        assert all(after.start - before.end > pause - 0.02 for before, after in pairwise(lane))


def test_the_emulator_of_aws_is_never_killed() -> None:
    """MiniStack would lose what AWS never loses: a run would say nothing about us."""
    targets = {fault.target for seed in SEEDS for fault in draw_faults(seed, STANDARD_RUN)}
    assert targets == {*WORKLOAD_NAMES, MONGOD, *ENDPOINTS}


def test_some_clocks_are_off_by_more_than_a_minute_and_some_are_right() -> None:
    """The clocks of our processes need not agree."""
    for seed in SEEDS:
        assert draw_clocks(seed).keys() == set(WORKLOAD_NAMES)
    offsets = {offset for seed in SEEDS for offset in draw_clocks(seed).values()}
    assert min(offsets) < -60
    assert max(offsets) > 60
    assert 0 in offsets
