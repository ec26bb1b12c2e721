"""Replays from the console, on the emulator: seen first, started, followed and cancelled."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from console.replays.replays import Replays, router
from runtime.process.shutdown import Stop
from tests.conftest import MiniStack
from tests.console import a_body, put
from tests.console_client import asking
from tests.dead_letters import an_event
from tests.integration.operated import Operated, operated
from verification.testkit.waiting import eventually

BUS = "stock-event-bus"


class Told(list[dict[str, Any]]):
    """What the console's pages hear."""

    def of(self, name: str) -> list[dict[str, Any]]:
        return [each for each in tuple(self) if each["name"] == name]


@pytest.fixture(scope="module")
def system(
    ministack: MiniStack, mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operated]:
    with operated(ministack, mongodb_uri, tmp_path_factory.mktemp("operated")) as system:
        yield system


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def console(system: Operated, told: Told) -> Iterator[httpx.Client]:
    stop = Stop()
    replays = Replays(system.environment, stop, told.append, look_every=0.05)
    with asking(router(replays)) as client:
        yield client
    stop.request()
    system.gate.open()


def log(system: Operated, group: str, *bodies: str) -> None:
    """Write what a bus had into its log, as the tap does here and a rule does on AWS."""
    logs = system.aws.client("logs")
    logs.create_log_stream(logGroupName=group, logStreamName="test")
    logs.put_log_events(
        logGroupName=group,
        logStreamName="test",
        logEvents=[{"timestamp": int(time.time() * 1000), "message": each} for each in bodies],
    )


def preview(console: httpx.Client, **wish: Any) -> httpx.Response:
    return console.post("/api/replays/preview", json={"bus": BUS, "from": "1h ago", **wish})


def test_what_can_be_replayed_is_listed(console: httpx.Client) -> None:
    """Each bus with its archive and its rules; and why none can be chosen here."""
    listed = console.get("/api/replays").json()
    assert {each["bus"] for each in listed["buses"]} == {
        "subscriptions-event-bus",
        "stock-event-bus",
        "payments-event-bus",
    }
    (stock,) = (each for each in listed["buses"] if each["bus"] == BUS)
    assert stock["archive"] == "stock-bus-archive"
    assert "SubscriptionCreatedRule" in stock["rules"]
    assert stock["retentionDays"] > 0
    assert not listed["rulesAllowed"]
    assert "An emulator ignores" in listed["rulesWhyNot"]
    assert listed["replays"] == []


def test_a_replay_is_previewed_started_and_followed_to_its_end(
    system: Operated, console: httpx.Client, told: Told
) -> None:
    """The events come to the rules again, whoever listens hears of the end, and that was it."""
    put(system.aws, BUS, an_event("a", 1), an_event("b", 1))
    before = len(system.drain("stock-subscription-created"))
    shown = preview(console).json()

    started = console.post("/api/replays", json={"preview": shown["preview"]})

    assert started.status_code == 202
    name = started.json()["name"]
    assert (started.json()["bus"], started.json()["came"]) == (BUS, {})
    eventually(
        lambda: any(each["counted"] for each in told.of(name)), what="the end of the replay, told"
    )
    ended = console.get(f"/api/replays/{name}").json()
    assert (ended["state"], ended["counted"]) == ("COMPLETED", True)
    assert told.of(name)[-1] == ended
    assert before == 2
    replayed = [json.loads(body) for body in system.drain("stock-subscription-created")]
    assert {each["replay-name"] for each in replayed} == {name}
    assert len(replayed) == 2
    assert name in {each["name"] for each in console.get("/api/replays").json()["replays"]}
    again = console.post("/api/replays", json={"preview": shown["preview"]})
    assert again.status_code == 409


def test_one_that_has_ended_is_cancelled_without_harm(console: httpx.Client, told: Told) -> None:
    """It stays as it was; and one that never was is not found."""
    name = console.post("/api/replays", json={"preview": preview(console).json()["preview"]}).json()
    eventually(lambda: any(each["counted"] for each in told.of(name["name"])), what="the end")

    cancelled = console.delete(f"/api/replays/{name['name']}")

    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "COMPLETED")
    unknown = console.delete("/api/replays/nobody")
    assert unknown.status_code == 404
    assert "has started no replay nobody" in unknown.json()["detail"]


def test_a_preview_counts_by_type_and_says_what_it_does_not_know(
    system: Operated, console: httpx.Client
) -> None:
    """Of the bus's log, what its archive keeps, and no replay brought; nothing is said to be none.

    Payments' archive has no event of another's.
    """
    empty = preview(console, bus="payments-event-bus").json()
    assert (empty["events"], empty["total"]) == ({}, 0)
    assert "would bring nothing" in empty["notes"][0]

    paid = [a_body("PaymentCreated", each) for each in "ab"]
    log(system, "payments-event-logs", *paid, a_body(), a_body("PaymentCreated", replay="before"))

    found = preview(console, bus="payments-event-bus").json()
    assert (found["events"], found["total"], found["notes"]) == ({"PaymentCreated": 2}, 2, [])


@pytest.mark.parametrize(
    ("wish", "status", "why"),
    [
        ({"from": "zebra"}, 400, "'zebra' is not a valid time"),
        ({"from": "1h ago", "to": "2h ago"}, 400, "nothing lies between"),
        ({"from": "99d ago"}, 400, "keeps 20 days"),
        ({"bus": "stok-event-bus"}, 404, "did you mean stock-event-bus"),
        ({"rules": ["SubscriptionCreatedRule"]}, 400, "an emulator ignores a replay's rules"),
        ({"rules": ["NoRule"]}, 404, "NoRule"),
        ({"zebra": 1}, 422, "zebra"),
    ],
)
def test_a_wish_that_cannot_be_is_a_sentence(
    console: httpx.Client, wish: dict[str, Any], status: int, why: str
) -> None:
    """What is wrong, and how to write it."""
    answer = preview(console, **wish)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert why in answer.json()["detail"]


def test_an_outage_is_looked_through(system: Operated, console: httpx.Client, told: Told) -> None:
    """Whoever listens hears of it, and of the end once it is over."""
    shown = preview(console).json()
    system.gate.refuse("DescribeReplay", 503, "ServiceUnavailable")
    name = console.post("/api/replays", json={"preview": shown["preview"]}).json()["name"]
    eventually(
        lambda: any("unavailable" in (each["reason"] or "") for each in told.of(name)),
        what="the outage, told",
    )

    system.gate.open()

    eventually(lambda: any(each["counted"] for each in told.of(name)), what="the end")
    assert console.get(f"/api/replays/{name}").json()["state"] == "COMPLETED"
