"""The inventory over HTTP: set, shown and deleted, and what is refused."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.stock import api, inventory_api
from services.stock.handlers import Handlers
from services.stock.inventory_handlers import InventoryHandlers
from services.stock.reservations import ReservationPlanner
from tests.builders import a_cause, clock
from tests.fakes import MemoryStock
from tests.system import an_app, ask

PATH = "/inventory/razor-123"
PROBLEM = "urn:streamed-events:problem:"


@pytest.fixture
def store() -> MemoryStock:
    return MemoryStock()


@pytest.fixture
def app(store: MemoryStock) -> FastAPI:
    handlers = InventoryHandlers(store.inventory, wait=lambda _: None)
    return an_app(inventory_api.routes(handlers), kinds=api.KINDS)


def put(app: FastAPI, on_hand: Any, **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(app, "PUT", PATH, json={"onHand": on_hand}, headers=sent)


def allocate(store: MemoryStock, identity: str, quantity: int = 1) -> None:
    Handlers(store, now=clock()).allocate(identity, quantity, a_cause())


def refused(answer: httpx.Response, status: int, slug: str) -> str:
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (status, PROBLEM + slug)
    return str(problem["detail"])


def test_what_is_set_is_shown_with_what_is_reserved(app: FastAPI, store: MemoryStock) -> None:
    """201 the first time, then 200; an allocation changes all numbers but what is on hand."""
    first = put(app, 1200)
    expected = {"item": "razor-123", "onHand": 1200, "reserved": 0, "available": 1200}
    assert (first.status_code, first.json(), first.headers["ETag"]) == (201, expected, '"1200"')
    allocate(store, "one", 2)
    found = ask(app, "GET", PATH)
    assert (found.status_code, found.headers["ETag"]) == (200, '"1200"')
    assert found.json() == expected | {"reserved": 24, "available": 1176}
    assert put(app, 24).status_code == 200
    assert ask(app, "GET", PATH).json() == expected | {
        "onHand": 24,
        "reserved": 24,
        "available": 0,
    }


def test_an_inventory_that_is_not_set_is_not_found(app: FastAPI) -> None:
    """Nothing limits allocations then, and the answer says so."""
    detail = refused(ask(app, "GET", PATH), 404, "not-found")
    assert "there is no limit" in detail


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_item_is_not_found(app: FastAPI, method: str) -> None:
    """The one there is is named."""
    body = {"json": {"onHand": 1}} if method == "PUT" else {}
    detail = refused(ask(app, method, "/inventory/razor-124", **body), 404, "not-found")
    assert detail == "there is no item razor-124: the one there is has the id razor-123"


def test_less_than_is_reserved_is_refused_with_the_numbers(
    app: FastAPI, store: MemoryStock
) -> None:
    """By PUT and by DELETE, and nothing is changed."""
    put(app, 30)
    allocate(store, "one", 2)
    for answer in (put(app, 23), ask(app, "DELETE", PATH)):
        detail = refused(answer, 409, "reserved")
        assert "30 are on hand, 24 reserved and 6 available" in detail
    assert ask(app, "GET", PATH).json()["onHand"] == 30


@pytest.mark.parametrize("on_hand", [-1, 2**53 + 1, 1.5, "12", True, None, "many", [12]])
def test_what_is_no_number_of_razors_is_refused_by_name(app: FastAPI, on_hand: object) -> None:
    """Whole numbers from 0 to 2^53; and nothing is set."""
    answer = put(app, on_hand)
    assert refused(answer, 422, "invalid-request").startswith("onHand: ")
    assert [error["field"] for error in answer.json()["errors"]] == ["onHand"]
    assert ask(app, "GET", PATH).status_code == 404


@pytest.mark.parametrize("on_hand", [0, 2**53])
def test_the_least_and_the_most_are_taken(app: FastAPI, on_hand: int) -> None:
    """Both are read back exactly."""
    assert put(app, on_hand).json()["available"] == on_hand
    assert ask(app, "GET", PATH).json()["onHand"] == on_hand


@pytest.mark.parametrize("body", [{}, {"onHand": 1, "reserved": 0}, {"on_hand": 1}, []])
def test_another_body_is_refused(app: FastAPI, body: object) -> None:
    """What is reserved is not to be set."""
    refused(ask(app, "PUT", PATH, json=body), 422, "invalid-request")


def test_a_stale_etag_changes_nothing(app: FastAPI, store: MemoryStock) -> None:
    """An ETag is over what is on hand alone: an allocation leaves it as it is."""
    put(app, 100)
    allocate(store, "one")
    for stale in ('"99"', 'W/"100"', '"1", "2"'):
        detail = refused(put(app, 200, If_Match=stale), 412, "precondition-failed")
        assert "GET it" in detail
        headers = {"If-Match": stale}
        refused(ask(app, "DELETE", PATH, headers=headers), 412, "precondition-failed")
    assert put(app, 200, If_Match='"1", "100"').status_code == 200
    assert put(app, 300, If_Match="*").json()["onHand"] == 300


def test_an_etag_of_nothing_matches_nothing(app: FastAPI) -> None:
    """Where no inventory is set there is none to be replaced."""
    for header in ("*", '"0"'):
        refused(put(app, 12, If_Match=header), 412, "precondition-failed")


@pytest.mark.parametrize("header", ["100", '"100', "", "* *", '"1" "2"'])
def test_what_is_no_etag_is_refused(app: FastAPI, header: str) -> None:
    """It says how one is sent."""
    put(app, 100)
    assert "in its quotes" in refused(put(app, 200, If_Match=header), 422, "invalid-request")


def test_deleting_lifts_the_limit_however_often(app: FastAPI, store: MemoryStock) -> None:
    """204, and 204 again, whatever ETag comes with the second."""
    put(app, 0)
    for headers in ({"If-Match": '"0"'}, {"If-Match": '"0"'}, {}):
        answer = ask(app, "DELETE", PATH, headers=headers)
        assert (answer.status_code, answer.content) == (204, b"")
    assert ReservationPlanner(store.inventory).plan("one", 12) == {}
