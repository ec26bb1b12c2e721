"""Lists: a walk along nextCursor sees everything once, and a cursor belongs to its list."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.builders import a_cause
from tests.integration.test_api_bad_input import LISTS, ORDER, problem
from tests.system import NAMES, Name, System

Filter = dict[str, str]


@dataclass(frozen=True)
class Seeded:
    """What a filter has to find, that filter, and another one."""

    ids: list[str]
    where: Filter
    another: Filter


@pytest.fixture(scope="session")
def seeded(system: System, apis: Mapping[Name, httpx.Client]) -> Mapping[Name, Seeded]:
    """For each service; subscriptions of one bank account, oldest first."""
    account, ids = str(uuid4().int)[:9], []
    for _ in range(7):
        order = ORDER | {"accountNumber": account}
        ids.append(apis["subscription"].post("/subscriptions", json=order).json()["id"])
    for each in ids:
        system.payments.create(each, account, a_cause())
        system.payments.cancel(each, a_cause())
        system.stock.deallocate(each, a_cause())
    return {
        "subscription": Seeded(ids, {"accountNumber": account}, {"accountNumber": "999999"}),
        "stock": Seeded(ids, {"status": "deallocated"}, {"status": "allocated"}),
        "payment": Seeded(ids, {"status": "cancelled"}, {"status": "active"}),
    }


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


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_a_walk_along_a_filter_sees_everything_once(
    apis: Mapping[Name, httpx.Client], seeded: Mapping[Name, Seeded], name: Name, limit: int
) -> None:
    """Whatever the page size, and whatever else is in the list; an account's, oldest first."""
    ids, where = seeded[name].ids, seeded[name].where
    items = walk(apis[name], LISTS[name], where, limit)
    assert all(where.items() <= item.items() for item in items)
    found = [item["id"] for item in items]
    assert set(ids) <= set(found)
    assert len(found) == len(set(found))
    assert name != "subscription" or found == ids


@pytest.mark.parametrize("name", NAMES)
def test_a_walk_without_a_filter_sees_everything_once(
    apis: Mapping[Name, httpx.Client], seeded: Mapping[Name, Seeded], name: Name
) -> None:
    """The whole table, too, is read a page at a time."""
    found = [item["id"] for item in walk(apis[name], LISTS[name], {}, 2)]
    assert set(seeded[name].ids) <= set(found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("name", NAMES)
def test_a_cursor_is_for_its_own_list_and_filter(
    apis: Mapping[Name, httpx.Client], seeded: Mapping[Name, Seeded], name: Name
) -> None:
    """A cursor that a list gave for one filter is refused with another, with none, elsewhere."""
    where, another = seeded[name].where, seeded[name].another
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
