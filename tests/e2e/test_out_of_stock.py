"""The last razors, through real processes: one customer gets them, all others are compensated."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from tests.e2e.operated import Operator
from tests.e2e.world import World
from verification.testkit.waiting import eventually

RIVALS = 50
ENDED = {
    "stock": Counter(allocated=1, rejected=RIVALS - 1),
    "subscription": Counter(active=1, cancelled=RIVALS - 1),
    "payment": Counter(active=1, cancelled=RIVALS - 1),
}


def test_of_fifty_that_want_the_last_twelve_razors_one_gets_them(
    either: World, tmp_path: Path
) -> None:
    """49 are rejected, and nothing of them is left: no subscription, no debit, no razor."""
    # Given the last twelve razors
    since = datetime.now(UTC)
    assert either.inventory("PUT", {"onHand": 12}) == {
        "onHand": 12,
        "reserved": 0,
        "available": 12,
    }

    # When fifty customers subscribe at once
    with ThreadPoolExecutor(RIVALS) as pool:
        ids = list(pool.map(lambda _: either.subscribe(quantity=1), range(RIVALS)))

    # Then one of them gets the razors, and all others are compensated
    for service, expected in ENDED.items():
        eventually(partial(_has, either, service, ids, expected), timeout=100, what=str(expected))
    assert either.inventory("GET") == {"onHand": 12, "reserved": 12, "available": 0}
    (winner,) = (each for each in ids if either.status("stock", each) == "allocated")
    assert either.status("subscription", winner) == either.status("payment", winner) == "active"
    (event,) = either.events_of("stock", next(each for each in ids if each != winner), REJECTED)
    assert (event["detail"]["asked"], event["detail"]["available"]) == (12, 0)

    # And events, reservations and inventory balance
    report = Operator(either, tmp_path, since=since).audit()
    assert (report.differences, report.in_flight, report.dead_lettered) == ((), 0, 0)

    # And what the winner gives back is there for the next
    either.cancel_payment(winner)
    either.until("stock", winner, "deallocated")
    assert either.inventory("GET") == {"onHand": 12, "reserved": 0, "available": 12}
    either.inventory("DELETE")


REJECTED = "StockRejected"


def _has(world: World, service: str, ids: list[str], expected: Counter[str]) -> bool:
    return Counter(world.status(service, each) for each in ids) == expected
