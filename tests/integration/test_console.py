"""The console over a real system: its buses, its APIs, and a stream that a page reads."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from console.app import create_app
from console.parts import Parts
from console.security import TOKEN_HEADER
from tests.builders import a_cause, an_envelope
from tests.console import put
from tests.console_client import a_console
from tests.system import Name, System, serving
from verification.testkit.waiting import eventually

ORDER = {
    "accountNumber": "12345678",
    "accountName": "A Lovelace",
    "accountSortCode": "12-34-56",
    "customerFirstName": "Ada",
    "customerSurname": "Lovelace",
    "quantity": 2,
}


@dataclass(frozen=True)
class Served:
    parts: Parts
    client: httpx.Client

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def act(self, path: str, body: Any = None) -> httpx.Response:
        return self.client.post(path, json=body, headers={TOKEN_HEADER: self.parts.token})

    def subscribe(self) -> str:
        told = self.act("/api/try/subscriptions", ORDER).json()
        assert told["response"]["status"] == 201, told
        return str(told["subscriptionId"])

    @contextmanager
    def live(self) -> Iterator[Callable[[str], dict[str, Any]]]:
        """Follow the stream; the function waits for the next message of a name."""
        with self.client.stream("GET", "/api/live", timeout=30) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            messages = messages_of(answer)

            def following(name: str) -> dict[str, Any]:
                def its() -> dict[str, Any] | None:
                    kind, document = next(messages)
                    return document if kind == name else None

                return eventually(its, what=f"a message {name}")

            yield following


def messages_of(answer: httpx.Response) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a stream sends: an event's name, and its data."""
    name = ""
    for line in answer.iter_lines():
        key, _, value = line.partition(": ")
        if key == "event":
            name = value
        elif key == "data":
            yield name, json.loads(value)


@pytest.fixture(scope="module")
def console(system: System, apis: Mapping[Name, httpx.Client]) -> Iterator[Served]:
    parts = a_console(system, apis, console_name="test", console_dead_letter_seconds=0.1)
    parts.start()
    try:
        with (
            serving(create_app(parts)) as address,
            httpx.Client(base_url=address, trust_env=False, timeout=30) as client,
        ):
            eventually(
                lambda: client.get("/readyz").status_code == 200, what="the console is ready"
            )
            yield Served(parts, client)
            parts.hub.close()
    finally:
        parts.end()


def publish(system: System, service: Name, bus: str, aggregate_id: str) -> None:
    """Do the relay's work: put what an outbox has on its bus."""
    for row in system.outbox(service, aggregate_id):
        detail, kind = json.loads(row["detail"]), row["eventType"]
        body = an_envelope(detail, detail_type=kind, source=row["source"])
        put(system.aws, bus, json.dumps(body))


def test_the_page_learns_what_it_needs_to_begin(console: Served) -> None:
    """The token, where the APIs are, and the whole map."""
    about = console.get("/api/about")
    assert about["token"] == console.parts.token
    assert about["mode"] == "local"
    assert about["apis"].keys() == {"subscription", "stock", "payment"}
    drawn = console.get("/api/map")
    ids = {node["id"] for node in drawn["nodes"]}
    assert all({edge["from"], edge["to"]} <= ids for edge in drawn["edges"])
    edges = {edge["id"] for edge in drawn["edges"]}
    assert drawn["routes"].keys() == set(drawn["eventTypes"])
    assert all(set(route["edges"]) <= edges for route in drawn["routes"].values())


def test_a_snapshot_tells_of_every_node(console: Served) -> None:
    """At once for whoever comes, and again a second later."""
    with console.live() as following:
        first, second = following("snapshot"), following("snapshot")
    nodes = {node["id"] for node in console.get("/api/map")["nodes"]}
    assert first["nodes"].keys() == nodes
    assert first["nodes"]["api:stock-api"]["state"] == "ok"
    assert first["nodes"]["queue:stock-payment-cancelled"]["waiting"] == 0
    assert first["sampling"] == {"everyNth": 1, "sentence": None}
    assert second["at"] > first["at"]


def test_an_outbox_is_seen_through_its_api(console: Served, system: System) -> None:
    """Payments', too: the console has no access to that database."""
    with console.live() as following:
        before = following("snapshot")["nodes"]
        subscription_id = console.subscribe()
        system.payments.create(subscription_id, "12345678", a_cause())

        def deeper() -> bool:
            now = following("snapshot")["nodes"]
            return all(
                now[name]["waiting"] > before[name]["waiting"]
                for name in ("outbox:subscriptions-outbox", "outbox:payments.outbox")
            )

        eventually(deeper, what="both outboxes are seen to be deeper")


def test_an_event_is_shown_within_the_second_and_followed_to_the_end(
    console: Served, system: System
) -> None:
    """From the attempt over the bus to what it led to; bank details are nowhere."""
    with console.live() as following:
        subscription_id = console.subscribe()
        early = console.get(f"/api/subscriptions/{subscription_id}")
        assert early["steps"][0]["kind"] == "request"
        assert early["steps"][-1]["kind"] == "waits"
        assert "subscriptions-outbox" in early["missing"][0]["probably"]

        publish(system, "subscription", "subscriptions-event-bus", subscription_id)
        shown = [following("event") for _ in range(3)]
        own = next(each for each in shown if each["own"])
        assert own["subscriptionId"] == subscription_id
        assert own["edges"][0] == "api:subscription-api commits outbox:subscriptions-outbox"

    told = console.get(f"/api/subscriptions/{subscription_id}")
    kinds = [step["kind"] for step in told["steps"]]
    assert kinds[:3] == ["request", "committed", "published"]
    assert kinds.count("forwarded") == 2
    assert {each["what"] for each in told["missing"]} == {
        "handling by stock",
        "handling by payments",
    }
    assert told["sentence"] == "2 things have yet to happen"
    assert told["states"]["subscription"]["status"] == 200
    assert told["states"]["stock"]["status"] == 404
    text = json.dumps(told)
    for secret in ("12345678", "12-34-56", "A Lovelace"):
        assert secret not in text

    system.stock.allocate(subscription_id, 2, a_cause())
    system.payments.create(subscription_id, "12345678", a_cause())
    publish(system, "stock", "stock-event-bus", subscription_id)
    publish(system, "payment", "payments-event-bus", subscription_id)

    def complete() -> bool:
        now = console.get(f"/api/subscriptions/{subscription_id}")
        return bool(now["sentence"] == "everything that was to happen has happened")

    eventually(complete, what="the story is whole", every=0.2)
    recent = console.get("/api/subscriptions?limit=300")["subscriptions"]
    mine = next(each for each in recent if each["subscriptionId"] == subscription_id)
    assert (mine["events"], mine["complete"]) == (3, True)
    event_id = told["events"][0]["eventId"]
    again = console.get(f"/api/subscriptions/{event_id}")
    assert again["subscriptionId"] == subscription_id


def test_an_id_that_nobody_knows_is_a_problem(console: Served) -> None:
    """It says where was looked."""
    answer = console.client.get("/api/subscriptions/nobody")
    assert answer.status_code == 404
    assert "'nobody' not found" in answer.json()["detail"]


def test_what_is_wrong_is_sent_and_the_apis_answer_is_shown(console: Served) -> None:
    """The exact refusal, with the command that makes it again."""
    told = console.act("/api/try/subscriptions", {**ORDER, "quantity": 11}).json()
    assert told["response"]["status"] == 422
    assert "quantity" in told["response"]["body"]
    assert told["curl"].startswith("curl -s -X POST http://127.0.0.1:")


def test_a_key_makes_a_repeated_attempt_safe(console: Served) -> None:
    """It is sent as the header that it is, not in the body."""
    order = {**ORDER, "idempotencyKey": "console-test-1"}
    first = console.act("/api/try/subscriptions", order).json()
    again = console.act("/api/try/subscriptions", order).json()
    assert first["subscriptionId"] == again["subscriptionId"]
    assert first["request"]["headers"]["idempotency-key"] == "console-test-1"


def test_a_payment_is_cancelled(console: Served, system: System) -> None:
    """By the request that a client would send."""
    subscription_id = console.subscribe()
    system.payments.create(subscription_id, "12345678", a_cause())
    told = console.act(f"/api/try/payments/{subscription_id}/cancel").json()
    assert told["request"]["method"] == "PATCH"
    assert json.loads(told["response"]["body"])["status"] == "cancelled"


def test_no_action_without_the_token(console: Served) -> None:
    """Whichever route: those of others too."""
    for path in ("/api/try/subscriptions", "/api/dead-letters/redrive", "/api/replays"):
        assert console.client.post(path, json={}).status_code == 403
    assert console.client.delete("/api/replays/some").status_code == 403


def test_measures_are_there_for_prometheus(console: Served) -> None:
    """Queues and outboxes, from the newest look."""
    wanted = (
        'sqs_queue_messages{kind="dead-letter",queue="stock-dlq",state="visible"} 0.0',
        'console_outbox_records{outbox="payments.outbox"}',
        "console_sampling_every_nth 1.0",
    )

    def lacking() -> list[str]:
        text = console.client.get("/metrics").text
        return [each for each in wanted if each not in text]

    eventually(lambda: not lacking(), what="every measure", every=0.2)


def test_a_dead_letter_is_seen_and_told_of_in_the_story(console: Served, system: System) -> None:
    """The queue needs attention, and the journey says where it ended."""
    subscription_id = console.subscribe()
    (row,) = system.outbox("subscription", subscription_id)
    sqs = system.aws.client("sqs")
    url = sqs.get_queue_url(QueueName="subscriptions-dlq")["QueueUrl"]
    body = json.dumps({**row, "sequence": int(row["sequence"])})
    attributes: Any = {
        "errorType": {"DataType": "String", "StringValue": "EventTooLarge"},
        "errorMessage": {"DataType": "String", "StringValue": "it is too large"},
    }
    sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
    try:
        with console.live() as following:
            eventually(
                lambda: (
                    "dead-letter-queue:subscriptions-dlq"
                    in {each["node"] for each in following("snapshot")["needsPerson"]}
                ),
                what="the dead letter is seen",
            )

        def is_told() -> bool:
            steps = console.get(f"/api/subscriptions/{subscription_id}")["steps"]
            return "dead-lettered" in {step["kind"] for step in steps}

        eventually(is_told, what="the journey leads to the dead letter", every=0.2)
    finally:
        sqs.purge_queue(QueueUrl=url)
