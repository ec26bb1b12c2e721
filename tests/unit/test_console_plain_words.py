"""Why a dead letter is where it is, as the console says it to a person."""

import pytest

from console.dead_letters.plain_words import plain
from infra.topology import TOPOLOGY, WORKLOADS
from operations.sources.dead_letters import DeadLetter
from operations.sources.origins import Origin, origins
from tests.dead_letters import (
    BATCH_GIVEN_UP,
    a_delivery_record,
    a_record_body,
    an_event,
    by_eventbridge,
    read_by,
)

ORIGINS = origins(TOPOLOGY, WORKLOADS)


def words(dlq: str, body: str, attributes: dict[str, str] | None = None) -> str:
    origin: Origin = ORIGINS[dlq]
    dead_letter: DeadLetter = read_by(origin, body, attributes)
    return plain(dead_letter, origin)


def test_what_eventbridge_could_not_deliver() -> None:
    """Where it should have gone, how often that was tried, why not, and what fixes it."""
    said = words("subscriptions-to-stock-dlq", an_event("a", 1), by_eventbridge())
    assert said == (
        "EventBridge tried 186 times to bring it to the bus stock-event-bus, and it may not put"
        " anything there (NO_PERMISSIONS: The permissions are missing.). Give EventBridge the"
        " right to in the target's policy, then redrive it."
    )


def test_a_code_of_eventbridge_that_nobody_foresaw() -> None:
    """Its own message has to do."""
    attributes = by_eventbridge(code="MOON_PHASE")
    said = words("payment-cancelled-dlq", an_event("a", 1), attributes)
    assert "to the queue stock-payment-cancelled, and could not (MOON_PHASE: " in said


def test_what_a_consumer_cannot_read() -> None:
    """Who, which field, and that trying again alone is no use."""
    error = {"errorType": "SchemaViolation", "errorMessage": "quantity: Field required"}
    said = words("subscriptions-created-dlq", an_event("a", 1), error)
    assert said.startswith(
        "stock-consumer could not read a field that it needs: quantity: Field required. Trying"
        " again cannot help"
    )


@pytest.mark.parametrize(
    ("error", "what", "fix"),
    [
        ("NotAnEvent", "could not read it as an event", "then drop it"),
        ("UnexpectedEvent", "does not know this type or version", "Deploy a consumer that does"),
        ("StockNotFound", "has no stock", "redrive that one first"),
        ("EventTooLarge", "would be too large", "then redrive it"),
    ],
)
def test_what_a_consumer_sets_aside_at_once(error: str, what: str, fix: str) -> None:
    """Each error that no retry fixes has its own words."""
    attributes = {"errorType": error, "errorMessage": "so it was"}
    said = words("payment-cancelled-dlq", an_event("a", 1), attributes)
    assert what in said
    assert ": so it was. " in said
    assert fix in said


def test_what_a_consumer_failed_on_each_time() -> None:
    """Its bug, most likely: the log has it."""
    attributes = {"errorType": "KeyError", "errorMessage": "'warehouse'", "receiveCount": "5"}
    said = words("subscriptions-created-dlq", an_event("a", 1), attributes)
    assert said.startswith("stock-consumer tried 5 times and failed with an error that it does not")
    assert "KeyError: 'warehouse'" in said


@pytest.mark.parametrize("dlq", ["stock-dlq", "payment-events-dlq.fifo"])
def test_what_a_relay_could_not_publish(dlq: str) -> None:
    """The words are a relay's also where its queue has a consumer that is one."""
    attributes = {"errorType": "NeverAccepted", "errorMessage": "InvalidArgument: no"}
    said = words(dlq, a_record_body("a", 1), attributes)
    assert "could not publish it: the bus refused it, and always would: InvalidArgument: no" in said


def test_what_lambda_gave_up() -> None:
    """Nothing is lost, and nothing is to be redriven."""
    said = words("stock-dlq", BATCH_GIVEN_UP)
    assert "nothing is lost" in said
    assert said.endswith("Drop this once the outbox is empty.")


def test_what_sqs_moved_by_itself() -> None:
    """How often it was received, by whom."""
    said = words("subscriptions-created-dlq", an_event("a", 1))
    assert said.startswith("stock-consumer received it 5 times and never deleted it")


def test_what_nobody_explains() -> None:
    """It says so, and who may know."""
    said = words("stock-dlq", "nonsense")
    assert said.startswith("It has no reason with it; stock-relay may have logged one.")


@pytest.mark.parametrize("dlq", ORIGINS)
@pytest.mark.parametrize(
    "attributes",
    [{}, {"errorType": "Boom"}, by_eventbridge(), {"errorType": "", "errorMessage": ""}],
    ids=["none", "unknown error", "rule", "empty"],
)
def test_every_queue_has_words_for_everything(dlq: str, attributes: dict[str, str]) -> None:
    """Whole sentences that end, about whatever lies there."""
    said = words(dlq, "nonsense", attributes)
    assert said.endswith(".")
    assert "None" not in said


def test_a_record_of_a_custom_event_bus_is_never_offered_to_a_redrive() -> None:
    """It has no event to send: the bus has, and a subscriber reads it again."""
    said = words("subscriptions-created-dlq", a_delivery_record())
    assert said.startswith("The subscriber the-queue of the bus stock-event-bus tried 5 times")
    assert "create a subscriber like the-queue" in said
    assert "redrive it" not in said
