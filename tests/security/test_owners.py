"""Whose subscription it is: nobody reads another's, guesses it, or is blocked by another's key."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.builders import BY_BANK, a_cause, an_order
from tests.integration.test_api_bad_input import ORDER, problem
from tests.system import Name, System, asking
from tests.token_issuer import a_token, bearer
from verification.benchmarks.calls.counting import counted
from verification.benchmarks.calls.metering import Meter
from verification.benchmarks.calls.tally import CallTally
from verification.testkit.waiting import eventually

OWN = "subscriptions:read subscriptions:write"
STAFF = bearer(a_token("subscriptions:read:all", sub="staff"))


def customer() -> dict[str, str]:
    """The header of one that has nothing yet."""
    return bearer(a_token(OWN, sub=str(uuid4())))


@pytest.fixture
def api(guarded: Mapping[Name, httpx.Client]) -> httpx.Client:
    return guarded["subscription"]


def subscribed(api: httpx.Client, who: Mapping[str, str], **more: str) -> Any:
    answer = api.post("/subscriptions", json=ORDER, headers={**who, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def listed(api: httpx.Client, who: Mapping[str, str], **asked: str) -> list[str]:
    """The ids of a list, page by page."""
    found: list[str] = []
    params = {"limit": "2", **asked}
    while True:
        page = api.get("/subscriptions", headers=who, params=params).raise_for_status().json()
        found += [each["id"] for each in page["items"]]
        if page["nextCursor"] is None:
            return found
        params["cursor"] = page["nextCursor"]


def test_anothers_subscription_is_as_if_it_were_not_there(enforced: System) -> None:
    """The same answer but for the id, after the same calls; its owner and staff read it."""
    tally = CallTally()
    with counted("api", tally, Meter(tally)):
        app = enforced.app("subscription")
    with asking(app) as api:
        eventually(lambda: api.get("/readyz").is_success, what="ready")
        ada, bob, unknown = customer(), customer(), str(uuid4())
        known = subscribed(api, ada)["id"]
        answers = {}
        for identity in (known, unknown):
            tally.phase = identity
            answers[identity] = api.get(f"/subscriptions/{identity}", headers=bob)
            problem(answers[identity], 404, "not-found")
        assert answers[known].text.replace(known, unknown) == answers[unknown].text
        calls = tally.sections("calls")
        assert calls[f"calls.{known}.api"] == calls[f"calls.{unknown}.api"]
        for reader in (ada, STAFF):
            assert api.get(f"/subscriptions/{known}", headers=reader).json()["id"] == known


def test_a_list_is_ones_own_and_staffs_is_everybodys(api: httpx.Client) -> None:
    """Over pages; a cursor of one customer's list is none of another's."""
    ada, bob = customer(), customer()
    own = [subscribed(api, ada)["id"] for _ in range(5)]
    others = [subscribed(api, bob)["id"] for _ in range(2)]
    eventually(lambda: sorted(listed(api, ada)) == sorted(own), what="one's own, in the index")
    eventually(lambda: sorted(listed(api, bob)) == sorted(others), what="another's")
    assert {*own, *others} <= {*listed(api, STAFF, limit="100")}
    page = api.get("/subscriptions", headers=ada, params={"limit": 2}).json()
    foreign = api.get("/subscriptions", headers=bob, params={"cursor": page["nextCursor"]})
    problem(foreign, 400, "invalid-cursor")


def test_lists_by_account_number_are_staffs(api: httpx.Client) -> None:
    """Whoever has an account number learns nothing by it, not even of the own."""
    ada = customer()
    own = subscribed(api, ada)["id"]
    by_account = {"accountNumber": ORDER["accountNumber"]}
    refused = api.get("/subscriptions", headers=ada, params=by_account)
    detail = problem(refused, 403, "insufficient-scope")["detail"]
    assert "subscriptions:read:all" in detail
    assert 'scope="subscriptions:read:all"' in refused.headers["www-authenticate"]
    eventually(lambda: own in listed(api, STAFF, limit="100", **by_account), what="in the index")


def test_a_subscription_without_an_owner_is_staffs(api: httpx.Client, system: System) -> None:
    """As those are that were made before anybody had to say who asks."""
    ada = customer()
    without = system.subscriptions.subscribe(an_order(), a_cause()).subscription_id
    problem(api.get(f"/subscriptions/{without}", headers=ada), 404, "not-found")
    assert without not in listed(api, ada)
    assert api.get(f"/subscriptions/{without}", headers=STAFF).is_success


def test_a_cancelled_subscription_is_still_its_owners(api: httpx.Client, system: System) -> None:
    """The consumer that cancels it knows no caller."""
    ada = customer()
    own = subscribed(api, ada)["id"]
    system.subscriptions.cancel(own, *BY_BANK, a_cause())
    found = api.get(f"/subscriptions/{own}", headers=ada).json()
    assert found["status"] == "cancelled"
    assert "owner" not in found
    assert listed(api, ada) == [own]


def test_a_cancellation_is_its_owners_or_staffs(api: httpx.Client) -> None:
    """To another customer it is not there; who may only read, or cancel payments, may not."""
    ada, bob = customer(), customer()
    own, staffs = subscribed(api, ada)["id"], subscribed(api, ada)["id"]
    problem(api.post(f"/subscriptions/{own}/cancellation", headers=bob), 404, "not-found")
    for scope in ("subscriptions:read:all", "payments:cancel", "subscriptions:erase"):
        reader = bearer(a_token(scope, sub="reader"))
        answer = api.post(f"/subscriptions/{own}/cancellation", headers=reader)
        problem(answer, 403, "insufficient-scope")
    assert api.get(f"/subscriptions/{own}", headers=ada).json()["status"] == "active"
    may_cancel = bearer(a_token("subscriptions:cancel:all", sub="support"))
    for found, who, by in ((own, ada, "customer"), (staffs, may_cancel, "staff")):
        answer = api.post(f"/subscriptions/{found}/cancellation", headers=who).json()
        assert answer["cancelledBy"] == by
        assert "support" not in str(answer)


def test_an_erasure_is_staffs_and_takes_the_row_from_its_owner(api: httpx.Client) -> None:
    """Who owned it finds nothing any more, not by its key either; staff sees how it ended."""
    ada, key = customer(), {"Idempotency-Key": str(uuid4())}
    own = subscribed(api, ada, **key)["id"]
    api.post(f"/subscriptions/{own}/cancellation", headers=ada).raise_for_status()
    problem(api.post(f"/subscriptions/{own}/erasure", headers=ada), 403, "insufficient-scope")
    eraser = bearer(a_token("subscriptions:erase", sub="privacy"))
    assert api.post(f"/subscriptions/{own}/erasure", headers=eraser).json()["status"] == "erased"
    problem(api.get(f"/subscriptions/{own}", headers=ada), 404, "not-found")
    problem(api.post(f"/subscriptions/{own}/cancellation", headers=ada), 404, "not-found")
    assert listed(api, ada) == []
    again = api.post("/subscriptions", json=ORDER, headers={**ada, **key})
    problem(again, 410, "subscription-erased")
    assert api.get(f"/subscriptions/{own}", headers=STAFF).json()["status"] == "erased"


def test_an_idempotency_key_is_its_callers(api: httpx.Client, system: System) -> None:
    """A key that another guesses neither gives nor blocks; for its caller all is as ever."""
    ada, bob, key = customer(), customer(), f"key {uuid4()}"
    first, again = (subscribed(api, ada, **{"Idempotency-Key": key}) for _ in "12")
    assert first == again
    guessed = subscribed(api, bob, **{"Idempotency-Key": key})
    assert guessed["id"] != first["id"]
    changed = {**ORDER, "quantity": 9}
    for _ in "12":
        refused = api.post("/subscriptions", json=changed, headers={**ada, "Idempotency-Key": key})
        assert "Idempotency-Key" in problem(refused, 422, "invalid-request")["detail"]
    assert len(system.outbox("subscription", first["id"])) == 1
    open_one = system.subscriptions.subscribe(an_order(), a_cause(), key=key)
    assert open_one.subscription_id not in {first["id"], guessed["id"]}


def test_two_requests_at_once_with_one_key_make_one_subscription(
    api: httpx.Client, system: System
) -> None:
    """Of one caller; another's at the same time makes another."""
    ada, bob, key = customer(), customer(), f"key {uuid4()}"
    with ThreadPoolExecutor(8) as pool:
        asked = [ada, bob] * 4
        found = list(pool.map(lambda who: subscribed(api, who, **{"Idempotency-Key": key}), asked))
    assert len({each["id"] for each in found[::2]}) == 1
    assert len({each["id"] for each in found}) == 2
    for each in found[:2]:
        assert len(system.outbox("subscription", each["id"])) == 1
