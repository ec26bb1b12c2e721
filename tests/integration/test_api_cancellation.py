"""A customer's cancellation and an erasure over HTTP, ETags, and lists by status."""

from uuid import uuid4

import httpx
import pytest

from tests.builders import BY_BANK, a_cause
from tests.integration.test_api_bad_input import ORDER, problem, rules
from tests.integration.test_api_paging import walk
from tests.system import System


def subscribed(subscriptions: httpx.Client, **headers: str) -> str:
    answer = subscriptions.post("/subscriptions", json=ORDER, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def cancelled(subscriptions: httpx.Client) -> str:
    found = subscribed(subscriptions)
    assert subscriptions.post(f"/subscriptions/{found}/cancellation").status_code == 200
    return found


def test_a_customer_cancels_and_says_why(subscriptions: httpx.Client, system: System) -> None:
    """200 with who and why; so says the subscription, and its event."""
    found = subscribed(subscriptions)
    path = f"/subscriptions/{found}"
    answer = subscriptions.post(f"{path}/cancellation", json={"reason": "too expensive"})
    assert answer.status_code == 200
    ended = {"status": "cancelled", "cancelledBy": "customer", "reason": "too expensive"}
    assert answer.json().items() >= {**ended, "subscriptionId": found, "version": 2}.items()
    shown = subscriptions.get(path).json()
    assert shown.items() >= {**ended, "cancelledReason": "too expensive"}.items()
    created, ending = system.outbox("subscription", found)
    assert (created["eventType"], ending["eventType"]) == (
        "SubscriptionCreated",
        "SubscriptionCancelled",
    )
    for word in ('"cancelledBy":"customer"', '"reason":"too expensive"'):
        assert word in ending["detail"]


def test_a_second_cancellation_changes_nothing(subscriptions: httpx.Client, system: System) -> None:
    """The first reason stays, also where the bank comes second; there is no second event."""
    own, banks = subscribed(subscriptions), subscribed(subscriptions)
    first = subscriptions.post(f"/subscriptions/{own}/cancellation")
    system.subscriptions.cancel(own, *BY_BANK, a_cause())
    system.subscriptions.cancel(banks, *BY_BANK, a_cause())
    again = {"reason": "moved away"}
    assert subscriptions.post(f"/subscriptions/{own}/cancellation", json=again).text == first.text
    assert first.json()["reason"] == "not stated"
    second = subscriptions.post(f"/subscriptions/{banks}/cancellation", json=again).json()
    assert (second["cancelledBy"], second["reason"]) == ("bank", "payment cancelled")
    assert [len(system.outbox("subscription", each)) for each in (own, banks)] == [2, 2]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "out of stock"}, "reason"),
        ({"reason": "because I say so"}, "reason"),
        ({"reason": None}, "reason"),
        ({"cancelledBy": "bank"}, "cancelledBy"),
    ],
)
def test_a_reason_is_on_the_list_or_refused(
    subscriptions: httpx.Client, body: dict[str, str], field: str
) -> None:
    """Free text and other ends' reasons are not taken, and nothing happens."""
    found = subscribed(subscriptions)
    answer = subscriptions.post(f"/subscriptions/{found}/cancellation", json=body)
    assert field in rules(problem(answer, 422, "invalid-request"))
    assert subscriptions.get(f"/subscriptions/{found}").json()["status"] == "active"


@pytest.mark.parametrize("what", ["cancellation", "erasure"])
def test_an_unknown_subscription_is_not_found(subscriptions: httpx.Client, what: str) -> None:
    """Neither ends nor erases what is not there."""
    unknown = uuid4()
    assert str(unknown) in str(
        problem(subscriptions.post(f"/subscriptions/{unknown}/{what}"), 404, "not-found")
    )


def test_an_active_subscription_is_not_erased(subscriptions: httpx.Client) -> None:
    """409, with what to do first."""
    found = subscribed(subscriptions)
    refused = problem(subscriptions.post(f"/subscriptions/{found}/erasure"), 409, "not-cancelled")
    assert "cancel it before" in refused["detail"]


def test_an_erasure_leaves_how_it_ended_and_no_more(
    subscriptions: httpx.Client, system: System
) -> None:
    """Its event has ids alone; erased once more it is the same; its key is gone for good."""
    key = f"key {uuid4()}"
    found = subscribed(subscriptions, **{"Idempotency-Key": key})
    subscriptions.post(f"/subscriptions/{found}/cancellation")
    first = subscriptions.post(f"/subscriptions/{found}/erasure")
    assert (
        first.json().items() >= {"status": "erased", "version": 3, "reason": "not stated"}.items()
    )
    assert subscriptions.post(f"/subscriptions/{found}/erasure").text == first.text
    left = subscriptions.get(f"/subscriptions/{found}").json()
    assert {left[name] for name in ORDER} == {None}
    *_, erased = system.outbox("subscription", found)
    assert (erased["eventType"], len(system.outbox("subscription", found))) == (
        "SubscriptionErased",
        3,
    )
    assert not any(value in erased["detail"] for value in ORDER.values() if isinstance(value, str))
    for order in (ORDER, ORDER | {"quantity": 9}):
        answer = subscriptions.post("/subscriptions", json=order, headers={"Idempotency-Key": key})
        problem(answer, 410, "subscription-erased")


def test_an_etag_says_that_nothing_has_changed(subscriptions: httpx.Client) -> None:
    """304 to who has it, by GET and HEAD; another after a change; a list has none."""
    path = f"/subscriptions/{subscribed(subscriptions)}"
    tag = subscriptions.get(path).headers["etag"]
    for known in (tag, f"W/{tag}", f'"another", {tag}', "*"):
        for method in ("GET", "HEAD"):
            answer = subscriptions.request(method, path, headers={"If-None-Match": known})
            assert (answer.status_code, answer.content) == (304, b"")
            assert answer.headers["etag"] == tag
    subscriptions.post(f"{path}/cancellation")
    changed = subscriptions.get(path, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["status"]) == (200, "cancelled")
    assert changed.headers["etag"] != tag
    assert "etag" not in subscriptions.get("/subscriptions").headers


def test_stock_and_payments_have_etags_too(
    stock: httpx.Client, payments: httpx.Client, system: System
) -> None:
    """And an erasure of a cancelled payment changes it, though its version stays."""
    name = str(uuid4())
    system.stock.allocate(name, 1, a_cause())
    system.payments.create(name, "12345678", a_cause())
    before = system.payments.cancel(name, a_cause())
    tags = [
        client.get(path).headers["etag"]
        for client, path in ((stock, f"/stock/{name}"), (payments, f"/payments/{name}"))
    ]
    assert system.payments.erase(name, a_cause()).version == before.version
    known = {"If-None-Match": ", ".join(tags)}
    assert stock.get(f"/stock/{name}", headers=known).status_code == 304
    erased = payments.get(f"/payments/{name}", headers=known)
    assert (erased.status_code, erased.json()["accountNumber"]) == (200, None)
    assert erased.json()["erasedAt"] is not None


def test_a_list_has_those_with_a_status(subscriptions: httpx.Client) -> None:
    """Page by page, of one account or of all; the cursor belongs to its status."""
    account = str(uuid4().int)[:9]
    order = ORDER | {"accountNumber": account}
    ids = [subscriptions.post("/subscriptions", json=order).json()["id"] for _ in "12345"]
    for each in ids[::2]:
        subscriptions.post(f"/subscriptions/{each}/cancellation")
    for status, expected in (("cancelled", ids[::2]), ("active", ids[1::2]), ("erased", [])):
        where = {"accountNumber": account, "status": status}
        found = [each["id"] for each in walk(subscriptions, "/subscriptions", where, 2)]
        assert found == expected
        everything = walk(subscriptions, "/subscriptions", {"status": status}, 100)
        assert {each["status"] for each in everything} <= {status}
        assert {each["id"] for each in everything} >= {*expected}
    page = subscriptions.get(
        "/subscriptions", params={"accountNumber": account, "status": "active", "limit": 1}
    ).json()
    mixed = {"accountNumber": account, "status": "cancelled", "cursor": page["nextCursor"]}
    problem(subscriptions.get("/subscriptions", params=mixed), 400, "invalid-cursor")
    answer = subscriptions.get("/subscriptions", params={"status": "ended"})
    assert "status" in rules(problem(answer, 422, "invalid-request"))
