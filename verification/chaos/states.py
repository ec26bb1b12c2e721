"""Whether each promise is kept, as the three HTTP APIs say."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from verification.chaos.ledger import CancelledBy, Promise

MONTHS = 12
"""A subscription is a year of razors."""

COLLECTION_OF_SERVICE = {"subscription": "subscriptions", "stock": "stock", "payment": "payments"}

REASONS: Mapping[CancelledBy, str] = {"customer": "other", "bank": "payment cancelled"}
"""What clients say, and what a bank's cancellation is called."""

READS_AT_ONCE = 4
"""Requests in flight: the machine has two cores, and the system's own work comes first."""


def wrong_states(
    promises: Iterable[Promise],
    addresses: dict[str, str],
    auth: httpx.Auth | None = None,
    *,
    rejected: set[str] | None = None,
) -> dict[Promise, str]:
    """Say of each promise that is not kept what is there in place of it.

    With `rejected` there may be too few razors: it gets the ids of those for which there are none,
    which have to end in all three services.
    """
    with (
        httpx.Client(auth=auth, timeout=10, trust_env=False) as http,
        ThreadPoolExecutor(READS_AT_ONCE) as pool,
    ):

        def check(promise: Promise) -> tuple[Promise, str]:
            found = {
                service: _read(http, f"{addresses[service]}/{name}/{promise.subscription_id}")
                for service, name in COLLECTION_OF_SERVICE.items()
            }
            is_rejected = rejected is not None and found["stock"].get("status") == "rejected"
            if rejected is not None and is_rejected:
                rejected.add(promise.subscription_id)
            return promise, difference(promise, found, is_rejected=is_rejected)

        return {promise: wrong for promise, wrong in pool.map(check, promises) if wrong}


def expected(promise: Promise, *, is_rejected: bool = False) -> dict[str, dict[str, Any]]:
    """Tell what each service has to say of a subscription once everything has arrived."""
    if is_rejected:  # who was first to end it is left open
        return {
            "subscription": {"status": "cancelled"},
            "stock": {"stock": 0, "asked": MONTHS * promise.quantity},
            "payment": {"status": "cancelled"},
        }
    if promise.cancelled_by:
        return {
            "subscription": {
                "status": "cancelled",
                "cancelledReason": REASONS[promise.cancelled_by],
            },
            "stock": {"status": "deallocated", "stock": 0},
            "payment": {"status": "cancelled"},
        }
    return {
        "subscription": {"status": "active", "quantity": promise.quantity},
        "stock": {"status": "allocated", "stock": MONTHS * promise.quantity},
        "payment": {"status": "active", "accountNumber": promise.account_number},
    }


def difference(
    promise: Promise, found: dict[str, dict[str, Any]], *, is_rejected: bool = False
) -> str:
    """Say how what was found differs from what was promised; empty if it does not."""
    wrong = [
        f"{service} has {name} {found[service].get(name)!r} in place of {value!r}"
        for service, fields in expected(promise, is_rejected=is_rejected).items()
        for name, value in fields.items()
        if found[service].get(name) != value
    ]
    return "; ".join(wrong)


def _read(http: httpx.Client, url: str) -> dict[str, Any]:
    """Return what the service knows; nothing where it knows nothing, or does not answer."""
    try:
        answer = http.get(url)
    except httpx.TransportError:
        return {}
    body: dict[str, Any] = answer.json() if answer.status_code == httpx.codes.OK else {}
    return body
