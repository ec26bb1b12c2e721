"""Lists: a walk along nextCursor sees everything once, and a cursor belongs to its list."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.builders import a_cause
from tests.integration.test_api_bad_input import LISTS, ORDER, problem
from tests.system import NAMES, Name, System

Filter = dict[str, str]


@pytest.fixture(scope="session")
def seeded(system: System) -> Mapping[Name, tuple[set[str], Filter, Filter]]:
    """For each service: the ids that a filter has to find, that filter, and another one."""
    ids = [str(uuid4()) for _ in range(7)]
    for each in ids:
        system.payments.create(each, "20000003", a_cause())
        system.payments.cancel(each, a_cause())
        system.stock.deallocate(each, a_cause())
    return {
        "stock": (set(ids), {"status": "deallocated"}, {"status": "allocated"}),
        "payment": (set(ids), {"status": "cancelled"}, {"status": "active"}),
    }


@pytest.fixture(scope="session")
def ordered(apis: Mapping[Name, httpx.Client]) -> tuple[list[str], str]:
    """Subscriptions of one bank account, oldest first."""
    account = str(uuid4().int)[:9]
    ids = [
        apis["subscription"]
        .post("/subscriptions", json=ORDER | {"accountNumber": account})
        .json()["id"]
        for _ in range(7)
    ]
    return ids, account


def walk(client: httpx.Client, path: str, params: Mapping[str, str], limit: int) -> list[Any]:
    """Every item of a list, page by page; no page is over its limit."""
    items: list[Any] = []
    cursor: Filter = {}
    while True:
        answer = client.get(path, params={**params, **cursor, "limit": str(limit)})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        items += page["items"]
        if page["nextCursor"] is None:
            return items
        cursor = {"cursor": page["nextCursor"]}


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_a_walk_lists_an_accounts_subscriptions_once_oldest_first(
    subscriptions: httpx.Client, ordered: tuple[list[str], str], limit: int
) -> None:
    """Whatever the page size, the whole list, in order and without repetition."""
    ids, account = ordered
    items = walk(subscriptions, "/subscriptions", {"accountNumber": account}, limit)
    assert [item["id"] for item in items] == ids


@pytest.mark.parametrize("name", ["stock", "payment"])
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_a_walk_along_a_status_sees_everything_once(
    apis: Mapping[Name, httpx.Client],
    seeded: Mapping[Name, tuple[set[str], Filter, Filter]],
    name: Name,
    limit: int,
) -> None:
    """Whatever else is in the list, each of ours is there once and all have the status."""
    ids, where, _ = seeded[name]
    items = walk(apis[name], LISTS[name], where, limit)
    assert {item["status"] for item in items} == set(where.values())
    found = [item["id"] for item in items]
    assert ids <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("name", NAMES)
def test_a_walk_without_a_filter_sees_everything_once(
    apis: Mapping[Name, httpx.Client],
    seeded: Mapping[Name, tuple[set[str], Filter, Filter]],
    ordered: tuple[list[str], str],
    name: Name,
) -> None:
    """The whole table, too, is read a page at a time."""
    ids = seeded[name][0] if name in seeded else set(ordered[0])
    found = [item["id"] for item in walk(apis[name], LISTS[name], {}, 2)]
    assert ids <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("name", NAMES)
def test_a_cursor_is_for_its_own_list_and_filter(
    apis: Mapping[Name, httpx.Client],
    seeded: Mapping[Name, tuple[set[str], Filter, Filter]],
    ordered: tuple[list[str], str],
    name: Name,
) -> None:
    """A cursor that a list gave for one filter is refused with another, with none, elsewhere."""
    where, another = (
        seeded[name][1:]
        if name in seeded
        else ({"accountNumber": ordered[1]}, {"accountNumber": "999999"})
    )
    for given in ({}, where):
        answer = apis[name].get(LISTS[name], params={**given, "limit": "1"})
        cursor = {"cursor": answer.json()["nextCursor"]}
        assert apis[name].get(LISTS[name], params={**given, **cursor}).status_code == 200
        for foreign in ({}, where, another):
            if foreign != given:
                answer = apis[name].get(LISTS[name], params={**foreign, **cursor})
                problem(answer, 400, "invalid-cursor")
        for other in set(NAMES) - {name}:
            problem(apis[other].get(LISTS[other], params=cursor), 400, "invalid-cursor")


def test_an_empty_list_is_a_page(subscriptions: httpx.Client) -> None:
    """Nobody with that account: no items, no cursor."""
    answer = subscriptions.get("/subscriptions", params={"accountNumber": "999999"})
    assert answer.json() == {"items": [], "nextCursor": None}
