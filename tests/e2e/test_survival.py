"""What is committed arrives, exactly once in effect, whatever dies meanwhile."""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.settings import LocalSettings
from tests.e2e.world import World, world
from tests.waiting import eventually

SUBSCRIPTIONS = 200


def test_every_subscription_arrives_once_while_every_process_is_killed_in_turn(
    sample_credentials: None, tmp_path: Path
) -> None:
    """200 customers subscribe while kill -9 takes each process of ours and it is restarted."""
    with world(LocalSettings.on_free_ports(tmp_path)) as system:
        with ThreadPoolExecutor(4) as customers:
            orders = [customers.submit(system.subscribe) for _ in range(SUBSCRIPTIONS)]
            for name in system.ours:
                system.supervisor.kill(name)
                system.supervisor.restart(name)
            ids = {order.result() for order in orders}
        assert len(ids) == SUBSCRIPTIONS
        system.supervisor.wait_ready()

        for service, status in (("stock", "allocated"), ("payment", "active")):
            _until_all(system, service, status, ids)

        eventually(lambda: not system.pending(), timeout=60, what="empty outboxes")
        _assert_published_once(system, "stock", "StockAllocated", ids)
        _assert_published_once(system, "payments", "PaymentCreated", ids)


def test_what_was_committed_before_a_stop_arrives_after_the_next_start(
    sample_credentials: None, tmp_path: Path
) -> None:
    """The engines' state survives; an event in flight needs no stream record to arrive."""
    settings = LocalSettings.on_free_ports(tmp_path)
    with world(settings) as system:
        # Given one subscription that has settled, and one whose event no relay has seen
        settled = system.subscribe()
        system.until("stock", settled, "allocated")
        eventually(lambda: not system.pending(), what="empty outboxes")
        system.supervisor.kill("subscriptions-relay")
        in_flight = system.subscribe()
        assert system.pending() == {"subscriptions": 1}

    # When everything is stopped, and started again (MiniStack forgets its stream records)
    with world(settings) as system:
        # Then the one is still there, and the other arrives
        assert system.status("subscription", settled) == "active"
        assert system.status("stock", settled) == "allocated"
        system.until("stock", in_flight, "allocated")
        system.until("payment", in_flight, "active")


def _until_all(system: World, service: str, status: str, subscription_ids: set[str]) -> None:
    waiting = set(subscription_ids)

    def nobody_waits() -> bool:
        waiting.difference_update([one for one in waiting if system.status(service, one) == status])
        return not waiting

    eventually(nobody_waits, timeout=100, what=f"{service} {status} for all", every=0.5)


def _assert_published_once(
    system: World, bus: str, event_type: str, subscription_ids: set[str]
) -> None:
    """Each aggregate has one event of the type. Copies of it may be many, its id is the same."""

    def complete() -> dict[str, set[str]] | None:
        event_ids: dict[str, set[str]] = defaultdict(set)
        for event in system.events(bus):
            if event["detail-type"] == event_type:
                event_ids[event["detail"]["subscriptionId"]].add(
                    event["detail"]["metadata"]["eventId"]
                )
        return event_ids if event_ids.keys() >= subscription_ids else None

    published = eventually(complete, timeout=30, what=f"{event_type} for all", every=0.5)
    assert {one: len(published[one]) for one in subscription_ids} == dict.fromkeys(
        subscription_ids, 1
    )
