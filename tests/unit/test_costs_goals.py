"""The goals that docs/costs.md states, in US dollars, from counted calls and its list of prices."""

import pytest

from verification.benchmarks.calls import expected
from verification.benchmarks.calls.tally import Sections
from verification.benchmarks.costs.book import load
from verification.benchmarks.costs.designs import PIPES, PIPES_DELETING, THIS_DESIGN
from verification.benchmarks.costs.document import BATCHES
from verification.benchmarks.costs.model import Cost, costs, lifecycle_of_071a447

FULL_BATCHES = 10


def by_design(sections: Sections, batch: int) -> dict[str, Cost]:
    return {cost.design: cost for cost in costs(sections, load(), batch)}


def test_a_million_full_lifecycles_cost_less_than_with_pipes() -> None:
    """Version 2 of the wire, cancelled in the end, with a trace context, in batches of ten."""
    found = by_design(expected.load(), FULL_BATCHES)
    assert found[THIS_DESIGN.name].full < found[PIPES.name].full


@pytest.mark.parametrize("batch", BATCHES)
def test_so_does_a_month_of_a_million_and_a_pipe_whose_rows_are_deleted(batch: int) -> None:
    """In batches of ten and one by one: a pipe reads its stream four times a second, for money."""
    found = by_design(expected.load(), batch)
    ours = found[THIS_DESIGN.name]
    assert ours.million_in_a_month < found[PIPES.name].million_in_a_month
    assert ours.full < found[PIPES_DELETING.name].full


def test_one_by_one_pipes_cost_less_as_the_page_says() -> None:
    """By less than the deletes: four write units a life."""
    found = by_design(expected.load(), 1)
    more = found[THIS_DESIGN.name].full - found[PIPES.name].full
    assert 0 < more < 4 * load().prices["dynamodb-write"].each * 1_000_000


def test_the_lifecycle_of_071a447_costs_less_than_61_dollars_a_million() -> None:
    """In batches of ten; what the story has had since is another row of the page."""
    found = by_design(lifecycle_of_071a447(), FULL_BATCHES)
    assert found[THIS_DESIGN.name].full < 61


def test_an_idle_month_of_dev_costs_less_than_120_dollars() -> None:
    """And less than with Pipes."""
    found = by_design(expected.load(), FULL_BATCHES)
    assert found[THIS_DESIGN.name].idle_dev < 120
    assert found[THIS_DESIGN.name].idle_dev < found[PIPES.name].idle_dev


def test_the_earlier_lifecycle_has_the_same_events_and_calls() -> None:
    """But the row of stock that is read before it is written."""
    before, now = lifecycle_of_071a447(), expected.load()
    assert before.keys() <= now.keys()
    events = {name: counts.keys() for name, counts in now.items() if name.startswith("published.")}
    assert {name: before[name].keys() for name in events} == events
    calls = {name: counts for name, counts in before.items() if name.startswith("calls.")}
    others = [name for name in calls if calls[name] != now[name]]
    assert others == ["calls.created.stock-consumer"]
