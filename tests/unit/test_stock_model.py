"""Stock: put aside once, given back once, in whichever order that is asked for."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.stock.model import LastEvent, Status, Stock
from tests.builders import START

LATER = START + timedelta(hours=1)


@pytest.mark.parametrize(("quantity", "stock"), [(1, 12), (2, 24), (10, 120)])
def test_an_allocation_is_twelve_months(quantity: int, stock: int) -> None:
    """Twelve times what the customer gets a month, of the one product there is."""
    assert Stock.allocate("one", quantity, now=START) == Stock(
        subscription_id="one",
        stock_id="razor-123",
        stock=stock,
        status=Status.ALLOCATED,
        created=START,
        updated=START,
        version=1,
        event=LastEvent.ALLOCATED,
    )


def test_a_deallocation_gives_all_back() -> None:
    """Nothing stays put aside; status, time, version and event change with it."""
    allocated = Stock.allocate("one", 2, now=START)
    assert allocated.deallocate(now=LATER) == replace(
        allocated,
        stock=0,
        status=Status.DEALLOCATED,
        updated=LATER,
        version=2,
        event=LastEvent.DEALLOCATED,
    )


def test_a_second_deallocation_changes_nothing() -> None:
    """What was given back is given back: the very same value comes out."""
    deallocated = Stock.allocate("one", 2, now=START).deallocate(now=START)
    assert deallocated.deallocate(now=LATER) is deallocated


def test_a_deallocation_that_comes_first_ends_the_same() -> None:
    """But for its times, it is what an allocation and a deallocation would have led to."""
    first = Stock.deallocate_before_allocation("one", now=LATER)
    second = Stock.allocate("one", 2, now=LATER).deallocate(now=LATER)
    assert first == second
    assert first.deallocate(now=START) is first
