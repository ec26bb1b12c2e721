"""Lists in pages: each row once, whatever the page size and whatever happens between the pages.

One suite for every store: in memory, on DynamoDB (emulated) and on MongoDB (real).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from runtime.cursors import InvalidCursor
from tests.integration.store_suite.subjects import Subject, an_aggregate, committed


def pages(
    subject: Subject,
    group: str | None,
    *,
    limit: int,
    between: Callable[[], object] = lambda: None,
) -> Iterator[list[str]]:
    """Follow the positions to the end; `between` happens between one page and the next."""
    position: Mapping[str, str] | None = None
    while True:
        page = subject.store.page(where=group, limit=limit, after=position)
        yield [row.subscription_id for row in page.items]
        if page.next_position is None:
            return
        position = page.next_position
        between()


def listed(subject: Subject, group: str | None, *, limit: int) -> list[str]:
    found = list(pages(subject, group, limit=limit))
    assert all(len(page) <= limit for page in found)
    return [identity for page in found for identity in page]


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_a_filtered_list_has_each_row_once_in_order(subject: Subject, limit: int) -> None:
    """Whatever the page size, also one that ends exactly at the list's end; oldest first."""
    for number in (3, 1, 6, 0, 5, 2, 4):
        committed(subject, f"mine-{number}", at=number)
        committed(subject, f"other-{number}", group=1, at=number)
    mine = listed(subject, subject.kind.groups[0], limit=limit)
    assert mine == [f"mine-{number}" for number in range(7)]


@pytest.mark.parametrize("limit", [3, 14])
def test_an_unfiltered_list_has_each_row_once(subject: Subject, limit: int) -> None:
    """Of every group, over any number of pages."""
    everyone = {committed(subject, f"m-{n}", group=n % 2).subscription_id for n in range(14)}
    found = listed(subject, None, limit=limit)
    assert (len(found), set(found)) == (14, everyone)


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_a_list_may_leave_out_what_has_another_status(owned: Subject, limit: int) -> None:
    """Of one account, of all, of an owner; a page of those that are left may be short or empty."""
    mine = [an_aggregate(owned, f"mine-{number}", at=number) for number in range(5)]
    mine = [replace(row, owner="ada") for row in mine]
    for row in mine:
        owned.store.commit(row, owned.kind.record(row), replaces=None)
    for row in mine[1:4]:
        ended = owned.kind.change(row)
        owned.store.commit(ended, owned.kind.record(ended), replaces=row)
    active, cancelled = ["mine-0", "mine-4"], ["mine-1", "mine-2", "mine-3"]
    for status, expected in (("active", active), ("cancelled", cancelled), ("erased", [])):
        assert walked(partial(owned.store.page_of, "ada", status=status, limit=limit)) == expected
        of_account = partial(owned.store.page, where=owned.kind.groups[0], status=status)
        assert walked(partial(of_account, limit=limit)) == expected
        everyone = partial(owned.store.page, status=status, limit=limit)
        assert sorted(walked(everyone)) == expected


def walked(page_after: Callable[..., Any]) -> list[str]:
    """Every id of a list, page by page."""
    found: list[str] = []
    position: Mapping[str, str] | None = None
    while True:
        page = page_after(after=position)
        found += [row.subscription_id for row in page.items]
        position = page.next_position
        if position is None:
            return found


def test_an_owners_list_has_each_of_its_rows_once_in_order(owned: Subject) -> None:
    """Oldest first, over pages, without another's rows and without those that have no owner."""
    for number in (3, 1, 0, 4, 2):
        committed(owned, f"without-{number}", at=number)
        for owner in ("ada", "bob"):
            row = an_aggregate(owned, f"{owner}-{number}", at=number)
            row = replace(row, owner=owner)
            owned.store.commit(row, owned.kind.record(row), replaces=None)
            assert owned.store.get(row.subscription_id) == row
    position: Mapping[str, str] | None = None
    found: list[str] = []
    while True:
        page = owned.store.page_of("ada", limit=2, after=position)
        found += [row.subscription_id for row in page.items]
        if page.next_position is None:
            break
        position = page.next_position
        with pytest.raises(InvalidCursor):
            owned.store.page_of("bob", limit=2, after=position)
    assert found == [f"ada-{number}" for number in range(5)]


def test_rows_that_come_and_change_between_pages_move_no_others(subject: Subject) -> None:
    """Everything that was there and stayed as it was is listed once, whatever else happens."""
    for number in range(9):
        committed(subject, f"mine-{number}", at=number)
    newcomers = iter(range(100))

    def a_row_appears() -> None:
        number = next(newcomers)
        committed(subject, f"a-new-one-{number}", at=-1 - number)

    found = [
        identity
        for page in pages(subject, subject.kind.groups[0], limit=2, between=a_row_appears)
        for identity in page
    ]
    assert [each for each in found if each.startswith("mine")] == [f"mine-{n}" for n in range(9)]
    assert len(set(found)) == len(found)


def test_a_list_of_nothing_ends(subject: Subject) -> None:
    """No rows, or none in that group: no items, and at last no position."""
    committed(subject)
    assert not any(pages(subject, subject.kind.groups[1], limit=5))


@pytest.mark.parametrize(
    "position", [{}, {"foreign": "x"}, {"foreign": "x", "_id": "one", "subscriptionId": "one"}]
)
@pytest.mark.parametrize("filtered", [False, True], ids=["all", "filtered"])
def test_a_foreign_position_is_an_invalid_cursor(
    subject: Subject, position: Mapping[str, str], filtered: bool
) -> None:
    """A position that this list cannot have given out is refused as such."""
    committed(subject)
    group = subject.kind.groups[0] if filtered else None
    with pytest.raises(InvalidCursor):
        subject.store.page(where=group, limit=5, after=position)
