"""Dead letters from the console, on the emulator: seen, previewed, redriven, dropped, audited."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from console.dead_letters.actions import DeadLetterActions, router
from tests.conftest import MiniStack
from tests.console_client import asking
from tests.dead_letters import a_record_body, an_event, by_eventbridge
from tests.integration.operated import DLQS, Operated, operated

UNREADABLE = {"errorType": "SchemaViolation", "errorMessage": "quantity: Field required"}


@pytest.fixture(scope="module")
def running(
    ministack: MiniStack, mongodb_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operated]:
    with operated(ministack, mongodb_uri, tmp_path_factory.mktemp("operated")) as system:
        yield system


@pytest.fixture
def system(running: Operated) -> Iterator[Operated]:
    with running.lent() as system:
        yield system


@pytest.fixture
def console(system: Operated) -> Iterator[httpx.Client]:
    with serving(system) as client:
        yield client


@contextmanager
def serving(system: Operated, **limits: int) -> Iterator[httpx.Client]:
    with asking(router(DeadLetterActions(system.environment, **limits))) as client:
        yield client


def queue_of(console: httpx.Client, queue: str) -> dict[str, Any]:
    listed = console.get("/api/dead-letters").json()["queues"]
    found: dict[str, Any] = next(each for each in listed if each["queue"] == queue)
    return found


def previewed(console: httpx.Client, queue: str, **wish: Any) -> dict[str, Any]:
    answer = console.post("/api/dead-letters/preview", json={"queue": queue, **wish})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_list_has_every_queue_and_says_in_words_why_each_letter_is_there(
    system: Operated, console: httpx.Client
) -> None:
    """And leaves every dead letter as it was."""
    system.send("subscriptions-created-dlq", an_event("a", 1), attributes=UNREADABLE)

    listed = console.get("/api/dead-letters").json()["queues"]

    assert {each["queue"] for each in listed} == set(DLQS)
    found = queue_of(console, "subscriptions-created-dlq")
    assert found["node"] == "dead-letter-queue:subscriptions-created-dlq"
    assert found["belongsTo"] == "the queue stock-subscription-created"
    assert (found["visible"], found["notShown"]) == (1, 0)
    (dead_letter,) = found["deadLetters"]
    assert dead_letter["eventId"] == "a-1"
    assert dead_letter["plain"].startswith("stock-consumer could not read a field that it needs")
    assert dead_letter["sentAt"].endswith("Z")
    assert system.depth("subscriptions-created-dlq") == (1, 0)


def test_a_long_queue_is_listed_in_part(system: Operated) -> None:
    """What is not shown is counted."""
    system.send("stock-dlq", *(f"body {n}" for n in range(15)))

    with serving(system, listed=10) as console:
        found = queue_of(console, "stock-dlq")

    assert (len(found["deadLetters"]), found["notShown"]) == (10, 5)


def test_everything_about_a_letter_is_shown_without_bank_details(
    system: Operated, console: httpx.Client
) -> None:
    """By its message's id or its event's; 404 for one that is not there."""
    system.send("subscriptions-to-stock-dlq", an_event("a", 1), attributes=by_eventbridge())

    answer = console.get("/api/dead-letters/subscriptions-to-stock-dlq/a-1")

    shown = answer.json()
    assert shown["attributes"]["ERROR_CODE"] == "NO_PERMISSIONS"
    assert json.loads(shown["body"])["detail"]["metadata"]["eventId"] == "a-1"
    assert "12345678" not in answer.text
    assert "Lovelace" not in answer.text
    path = f"/api/dead-letters/subscriptions-to-stock-dlq/{shown['messageId']}"
    assert console.get(path).json()["messageId"] == shown["messageId"]
    gone = console.get("/api/dead-letters/subscriptions-to-stock-dlq/a-2")
    assert (gone.status_code, gone.headers["content-type"]) == (404, "application/problem+json")


def test_what_was_previewed_is_redriven_and_nothing_that_came_since(
    system: Operated, console: httpx.Client
) -> None:
    """Once: the preview is used then. The trail has it, as it has what `streamed` does."""
    system.send("payment-cancelled-dlq", an_event("a", 1), attributes=UNREADABLE)
    preview = previewed(console, "payment-cancelled-dlq")
    system.send("payment-cancelled-dlq", an_event("b", 1), attributes=UNREADABLE)

    answer = console.post("/api/dead-letters/redrive", json={"preview": preview["preview"]})

    assert preview["destination"] == "the queue stock-payment-cancelled"
    assert [(each["eventId"], each["willBeSent"]) for each in preview["deadLetters"]] == [
        ("a-1", True)
    ]
    assert answer.json() == {
        "queue": "payment-cancelled-dlq",
        "done": 1,
        "leftBehind": 0,
        "stopped": None,
        "messages": [
            {"messageId": preview["deadLetters"][0]["messageId"], "done": True, "outcome": "sent"}
        ],
    }
    (arrived,) = map(json.loads, system.drain("stock-payment-cancelled"))
    assert arrived["detail"]["metadata"]["eventId"] == "a-1"
    assert system.depth("payment-cancelled-dlq") == (1, 0)
    (line,) = system.trail()
    assert (line["operation"], line["eventId"]) == ("redrive", "a-1")
    again = console.post("/api/dead-letters/redrive", json={"preview": preview["preview"]})
    assert again.status_code == 409
    assert "preview it again" in again.json()["detail"]


def test_a_preview_says_what_a_redrive_would_leave_and_it_does(
    system: Operated, console: httpx.Client
) -> None:
    """With the reason, and the dead letter stays."""
    system.send("stock-dlq", a_record_body("a", 1), '{"eventId":"broken"}')
    preview = previewed(console, "stock-dlq")

    outcomes = {each["eventId"]: each["willBeSent"] for each in preview["deadLetters"]}
    done = console.post("/api/dead-letters/redrive", json={"preview": preview["preview"]}).json()

    assert outcomes == {"a-1": True, "broken": False}
    assert (done["done"], done["leftBehind"]) == (1, 1)
    assert "still no event that can be published" in json.dumps(done["messages"])
    assert system.depth("stock-dlq") == (1, 0)


def test_letters_are_chosen_by_id_by_type_or_by_aggregate(
    system: Operated, console: httpx.Client
) -> None:
    """In one way at a time, and only where there is something of it."""
    system.send(
        "payment-cancelled-dlq",
        an_event("a", 1),
        an_event("a", 2, event_type="PaymentCancelled"),
        an_event("b", 1),
    )
    dlq = "payment-cancelled-dlq"

    def chosen(**wish: Any) -> set[str]:
        return {each["eventId"] for each in previewed(console, dlq, **wish)["deadLetters"]}

    assert chosen() == {"a-1", "a-2", "b-1"}
    assert chosen(messageIds=["a-1", "b-1"]) == {"a-1", "b-1"}
    assert chosen(eventType="PaymentCancelled") == {"a-2"}
    assert chosen(aggregateId="b") == {"b-1"}
    wrong = {"queue": dlq, "aggregateId": "b", "eventType": "PaymentCancelled"}
    both = console.post("/api/dead-letters/preview", json=wrong)
    assert both.status_code == 422
    assert "not more than one" in both.json()["detail"]
    none = console.post("/api/dead-letters/preview", json={"queue": dlq, "aggregateId": "c"})
    assert none.status_code == 409
    assert "nothing of aggregate c" in none.json()["detail"]
    nowhere = console.post("/api/dead-letters/preview", json={"queue": "stok-dlq"})
    assert nowhere.status_code == 404
    assert "did you mean stock-dlq" in nowhere.json()["detail"]


def test_a_preview_ends_at_so_many_and_says_so(system: Operated) -> None:
    """The rest stays, for another preview."""
    system.send("payment-cancelled-dlq", *(an_event("a", n) for n in range(1, 6)))

    with serving(system, most_moved=3) as console:
        preview = previewed(console, "payment-cancelled-dlq")
        by_aggregate = previewed(console, "payment-cancelled-dlq", aggregateId="a")
        used = {"preview": preview["preview"]}
        done = console.post("/api/dead-letters/redrive", json=used).json()

    assert len(preview["deadLetters"]) == len(by_aggregate["deadLetters"]) == 3
    assert "There may be more" in preview["note"]
    assert "There may be more" in by_aggregate["note"]
    assert done["done"] == 3
    assert system.depth("payment-cancelled-dlq") == (2, 0)


def test_a_drop_wants_the_word_and_keeps_the_body_in_the_trail(
    system: Operated, console: httpx.Client
) -> None:
    """Without the word nothing is dropped, and the preview can still be used."""
    body = an_event("a", 1)
    system.send("stock-dlq", body)
    preview = previewed(console, "stock-dlq")["preview"]

    refused = console.post("/api/dead-letters/drop", json={"preview": preview, "confirm": "yes"})
    assert refused.status_code == 422
    assert system.depth("stock-dlq") == (1, 0)

    done = console.post("/api/dead-letters/drop", json={"preview": preview, "confirm": "drop"})
    assert done.json()["done"] == 1
    assert system.depth("stock-dlq") == (0, 0)
    assert system.trail()[0]["body"] == body


def test_what_is_gone_since_the_preview_is_named(system: Operated, console: httpx.Client) -> None:
    """Somebody else was first: nothing is done, and nothing is claimed."""
    system.send("payment-cancelled-dlq", an_event("a", 1))
    preview = previewed(console, "payment-cancelled-dlq")
    system.empty(["payment-cancelled-dlq"])

    done = console.post("/api/dead-letters/redrive", json={"preview": preview["preview"]}).json()

    assert done["done"] == 0
    (message,) = done["messages"]
    assert message["messageId"] == preview["deadLetters"][0]["messageId"]
    assert "no longer visible" in message["outcome"]


def test_the_trail_is_read_newest_first_without_bodies(
    system: Operated, console: httpx.Client
) -> None:
    """What `streamed` did is in it too."""
    assert console.get("/api/dead-letters/trail").json() == {
        "file": str(system.audit_file),
        "lines": [],
    }
    system.send("payment-cancelled-dlq", an_event("a", 1), an_event("b", 1))
    system.run("dlq", "drop", "--queue", "payment-cancelled-dlq", "--id", "a-1", "--yes")
    preview = previewed(console, "payment-cancelled-dlq")["preview"]
    console.post("/api/dead-letters/redrive", json={"preview": preview})

    answer = console.get("/api/dead-letters/trail")

    lines = answer.json()["lines"]
    assert [(each["action"], each["eventId"], each["outcome"]) for each in lines] == [
        ("redrive", "b-1", "sent"),
        ("drop", "a-1", "dropped"),
    ]
    assert lines[0]["destination"] == "the queue stock-payment-cancelled"
    assert lines[0]["eventType"] == "SubscriptionCreated"
    assert "12345678" not in answer.text
    newest = console.get("/api/dead-letters/trail", params={"limit": 1}).json()["lines"]
    assert newest == lines[:1]
    assert console.get("/api/dead-letters/trail", params={"limit": 0}).status_code == 422


def test_an_outage_is_a_problem_and_ends_a_redrive_without_a_loss(
    system: Operated, console: httpx.Client
) -> None:
    """The destination is away: what was not sent stays, and it says why."""
    system.send("subscriptions-to-stock-dlq", an_event("a", 1), attributes=by_eventbridge())
    preview = previewed(console, "subscriptions-to-stock-dlq")["preview"]
    system.gate.refuse("PutEvents", 503, "ServiceUnavailable")

    done = console.post("/api/dead-letters/redrive", json={"preview": preview}).json()

    assert "EventBridge is unavailable" in done["stopped"]
    assert (done["done"], done["leftBehind"]) == (0, 1)
    assert system.depth("subscriptions-to-stock-dlq") == (1, 0)
    system.gate.cut()
    away = console.get("/api/dead-letters")
    assert away.status_code == 503
    assert "SQS is unavailable" in away.json()["detail"]
