"""What is committed arrives, exactly once in effect, whatever dies meanwhile."""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from tests.e2e.world import World
from verification.testkit.waiting import eventually

SUBSCRIPTIONS = 200


def test_every_subscription_arrives_once_while_every_process_is_killed_in_turn(
    running: World,
) -> None:
    """200 customers subscribe while kill -9 takes each process of ours and it is restarted.

    However long that takes, one customer more keeps subscribing: no process is killed at leisure.
    """
    all_killed = Event()
    with ThreadPoolExecutor(5) as customers:
        steady = customers.submit(_keep_subscribing, running, all_killed)
        orders = [customers.submit(running.subscribe) for _ in range(SUBSCRIPTIONS)]
        try:
            for name in running.ours:
                running.system.kill(name)
                running.system.restart(name)
        finally:
            all_killed.set()
        ids = {order.result() for order in orders}
    assert len(ids) == SUBSCRIPTIONS
    ids |= steady.result()
    running.system.wait_ready()

    for service, status in (("stock", "allocated"), ("payment", "active")):
        _until_all(running, service, status, ids)

    eventually(lambda: not running.pending(), timeout=60, what="empty outboxes")
    _assert_published_once(running, "stock", "StockAllocated", ids)
    _assert_published_once(running, "payments", "PaymentCreated", ids)


def test_what_was_committed_before_a_stop_arrives_after_the_next_start(running: World) -> None:
    """The engines' state survives; an event in flight needs no stream record to arrive."""
    # Given one subscription that has settled, and one whose event no relay has seen
    settled = running.subscribe()
    running.until("stock", settled, "allocated")
    eventually(lambda: not running.pending(), what="empty outboxes")
    running.system.kill("subscriptions-relay")
    in_flight = running.subscribe()
    eventually(lambda: running.pending() == {"subscriptions": 1}, what="nothing else in an outbox")

    # When everything is stopped, and started again (MiniStack forgets its stream records)
    running.system.stop()
    running.system.start()

    # Then the one is still there, and the other arrives
    running.until("subscription", settled, "active")
    running.until("stock", settled, "allocated")
    running.until("stock", in_flight, "allocated")
    running.until("payment", in_flight, "active")


def _keep_subscribing(world: World, until: Event) -> set[str]:
    ids = set()
    while not until.wait(0.05):  # at most 20 a second: the rest of the machine has work to do
        ids.add(world.subscribe())
    return ids


def _until_all(world: World, service: str, status: str, subscription_ids: set[str]) -> None:
    waiting = set(subscription_ids)

    def nobody_waits() -> bool:
        waiting.difference_update([one for one in waiting if world.status(service, one) == status])
        return not waiting

    eventually(nobody_waits, timeout=100, what=f"{service} {status} for all", every=0.5)


def _assert_published_once(
    world: World, bus: str, event_type: str, subscription_ids: set[str]
) -> None:
    """Each aggregate has one event of the type. Copies of it may be many, its id is the same."""

    def complete() -> dict[str, set[str]] | None:
        event_ids: dict[str, set[str]] = defaultdict(set)
        for event in world.events(bus):
            if event["detail-type"] == event_type:
                event_ids[event["detail"]["subscriptionId"]].add(
                    event["detail"]["metadata"]["eventId"]
                )
        return event_ids if event_ids.keys() >= subscription_ids else None

    published = eventually(complete, timeout=60, what=f"{event_type} for all", every=0.5)
    assert {one: len(published[one]) for one in subscription_ids} == dict.fromkeys(
        subscription_ids, 1
    )
