"""`streamed dlq` on the emulator: what it shows, what it moves, and what it leaves as it was."""

import json
import signal
from collections.abc import Iterator
from io import StringIO

import pytest

from local.child import signal_child
from operations.__main__ import parser
from operations.dlq.actions import run_drop
from operations.errors import NoSuchName, NotConfirmed, NothingChosen
from operations.output import Output
from runtime.errors import Misconfigured, Unavailable
from tests.dead_letters import BATCH_GIVEN_UP, a_record_body, an_event, by_eventbridge
from tests.integration.operated import Operated


@pytest.fixture
def system(operated_system: Operated) -> Iterator[Operated]:
    with operated_system.lent() as system:
        yield system


def test_a_list_tells_who_put_each_message_there_and_why(system: Operated) -> None:
    """EventBridge, a consumer, a relay and SQS each leave their own marks."""
    system.send("subscriptions-to-stock-dlq", an_event("a", 1), attributes=by_eventbridge())
    error = {"errorType": "NotAnEvent", "errorMessage": "body: Invalid JSON"}
    system.send("payment-cancelled-dlq", "nonsense", attributes=error)
    system.send("stock-dlq", BATCH_GIVEN_UP)
    system.send("payment-events-dlq.fifo", a_record_body("b", 3), group="b")

    code, found = system.ask("dlq", "list")

    dead_letters = [dead_letter for queue in found["queues"] for dead_letter in queue["messages"]]
    assert code == 0
    assert {(each["queue"], each["putBy"], each["by"], each["tries"]) for each in dead_letters} == {
        ("subscriptions-to-stock-dlq", "eventbridge", "rule SubscriptionToStockRule", 186),
        ("payment-cancelled-dlq", "handler", "stock-consumer", None),
        ("stock-dlq", "lambda", "stock-relay", None),
        ("payment-events-dlq.fifo", "sqs", "payments-change-stream or payments-forward", 3),
    }
    _, printed = system.run("dlq", "list")
    assert "NO_PERMISSIONS: The permissions are missing." in printed
    assert "for the bus stock-event-bus" in printed


def test_a_look_leaves_every_message_visible(system: Operated) -> None:
    """Thirty of one group too, of which a FIFO queue shows ten at a time."""
    system.send("stock-dlq", *(f"body {n}" for n in range(25)))
    bodies = [a_record_body("a", n) for n in range(1, 31)]
    system.send("payment-events-dlq.fifo", *bodies, group="a")

    _, found = system.ask("dlq", "list")

    shown = {each["queue"]: each for each in found["queues"]}
    assert len(shown["stock-dlq"]["messages"]) == 25
    assert shown["payment-events-dlq.fifo"]["notShown"] == 20
    assert system.depth("stock-dlq") == (25, 0)
    assert system.depth("payment-events-dlq.fifo") == (30, 0)
    assert system.drain("payment-events-dlq.fifo") == bodies


@pytest.mark.parametrize(
    ("operation", "argv"),
    [
        ("ReceiveMessage", ("dlq", "list", "--queue", "payment-cancelled-dlq")),
        ("SendMessageBatch", ("dlq", "redrive", "--queue", "payment-cancelled-dlq", "--all")),
    ],
    ids=["list", "redrive"],
)
def test_an_interrupted_command_lets_go_of_what_it_holds(
    system: Operated, operation: str, argv: tuple[str, ...]
) -> None:
    """Ctrl-C in the middle of it: exit code 130, and nothing stays hidden."""
    system.send("payment-cancelled-dlq", *(f"body {n}" for n in range(25)))
    system.gate.hold("after", operation, passing=1)

    with system.command(*argv) as command:
        system.gate.reached("after", operation)
        signal_child(command, signal.SIGINT)
        system.gate.open()
        assert command.wait(timeout=60) == 130, system.output.read_text()

    visible, hidden = system.depth("payment-cancelled-dlq")
    sent = set(system.drain("stock-payment-cancelled"))
    assert hidden == 0
    assert visible + len(sent) >= 25


def test_everything_about_a_message_is_shown_without_bank_details(system: Operated) -> None:
    """By its message id or its event's; the bank details only when they are asked for."""
    system.send("subscriptions-to-stock-dlq", an_event("a", 1), attributes=by_eventbridge())

    _, (found,) = system.ask("dlq", "show", "a-1")
    _, (revealed,) = system.ask("dlq", "show", found["messageId"], "--reveal")

    assert found["attributes"]["RULE_ARN"].endswith("SubscriptionToStockRule")
    assert "12345678" not in found["body"]
    assert json.loads(revealed["body"])["detail"]["accountNumber"] == "12345678"
    _, printed = system.run("dlq", "show", "a-1")
    assert "NO_PERMISSIONS" in printed
    assert "Lovelace" not in printed


@pytest.mark.parametrize(
    ("dlq", "work"),
    [
        ("payment-cancelled-dlq", "stock-payment-cancelled"),
        ("subscriptions-created-dlq", "stock-subscription-created"),
        ("create-payment-subscription-dlq", "payments-subscription-created"),
        ("cancel-subscription-dlq", "subscriptions-payment-cancelled"),
    ],
)
@pytest.mark.parametrize("put", ["eventbridge", "handler"])
def test_a_message_goes_back_to_its_work_queue(
    system: Operated, dlq: str, work: str, put: str
) -> None:
    """Whoever put it there: the rule's target is that queue too."""
    attributes = by_eventbridge() if put == "eventbridge" else {"errorType": "Boom"}
    system.send(dlq, an_event("a", 1), an_event("b", 1), attributes=attributes)

    code, found = system.ask("dlq", "redrive", "--queue", dlq, "--id", "b-1")

    assert (code, found["queues"][0]["done"]) == (0, 1)
    assert [json.loads(body)["detail"]["metadata"]["eventId"] for body in system.drain(work)] == [
        "b-1"
    ]
    assert system.depth(dlq) == (1, 0)
    (line,) = system.trail()
    assert (line["outcome"], line["destination"]) == ("sent", f"the queue {work}")


def test_an_event_goes_on_to_the_bus_that_a_rule_could_not_reach(system: Operated) -> None:
    """And from there, by that bus's own rules, to its queue: with its source, type and detail."""
    body = an_event("a", 1)
    system.send("subscriptions-to-stock-dlq", body, attributes=by_eventbridge())

    code, _ = system.ask("dlq", "redrive", "--all-queues", "--aggregate", "a")

    (arrived,) = map(json.loads, system.drain("stock-subscription-created"))
    sent = json.loads(body)
    assert code == 0
    assert {name: arrived[name] for name in ("source", "detail-type", "detail")} == {
        name: sent[name] for name in ("source", "detail-type", "detail")
    }
    assert system.depth("subscriptions-to-stock-dlq") == (0, 0)


def test_a_line_goes_into_the_log_that_a_rule_could_not_write(system: Operated) -> None:
    """As EventBridge has it, and so `streamed where` finds it; again, for the stream is there."""
    logs = system.aws.client("logs")
    for name in "ab":
        body = an_event(f"unlogged-{name}", 1)
        system.send("stock-event-logs-dlq", body, attributes=by_eventbridge())
        code, _ = system.ask("dlq", "redrive", "--queue", "stock-event-logs-dlq", "--all")
        assert code == 0
        written = logs.get_log_events(logGroupName="stock-event-logs", logStreamName="redriven")
        assert body in [line["message"] for line in written["events"]]
    assert system.depth("stock-event-logs-dlq") == (0, 0)


def test_a_half_failed_put_leaves_what_was_refused(system: Operated) -> None:
    """Behind HTTP 200: the refused one stays, visible, with the reason; exit code 1."""
    for name in "abc":
        body = an_event(name, 1)
        system.send("subscriptions-to-stock-dlq", body, attributes=by_eventbridge())
    system.gate.fail_entries(
        lambda entry: ("ThrottlingException", "slow down") if '"b-1"' in entry["Detail"] else None
    )

    code, found = system.ask("dlq", "redrive", "--queue", "subscriptions-to-stock-dlq", "--all")

    (queue,) = found["queues"]
    assert (code, queue["done"], queue["leftBehind"]) == (1, 2, 1)
    (left,) = (each for each in queue["messages"] if not each["done"])
    assert (left["eventId"], left["outcome"]) == ("b-1", "refused: ThrottlingException: slow down")
    assert system.depth("subscriptions-to-stock-dlq") == (1, 0)
    assert len(system.drain("stock-subscription-created")) == 2


def test_a_row_goes_to_its_bus_once_it_can_be_published(system: Operated) -> None:
    """What still cannot stays with a sentence, and so does a batch that Lambda gave up."""
    detail = json.loads(an_event("a", 1))["detail"]
    record = {**json.loads(a_record_body("a", 1)), "detail": json.dumps(detail)}
    record |= {"source": "app.subscriptions", "eventType": "SubscriptionCreated"}
    system.send("stock-dlq", json.dumps(record), '{"eventId":"broken"}', BATCH_GIVEN_UP)

    code, printed = system.run("dlq", "redrive", "--queue", "stock-dlq", "--all")

    assert code == 1
    assert "its rows are in the outbox" in printed
    assert "still no event that can be published" in printed
    (arrived,) = map(json.loads, system.drain("stock-subscription-created"))
    assert arrived["detail"] == detail
    assert system.depth("stock-dlq") == (2, 0)


def test_thirty_of_a_group_go_back_in_order_twice_over(system: Operated) -> None:
    """In rounds of ten; and again within five minutes, in which SQS drops copies of an id."""
    bodies = [a_record_body("a", n) for n in range(1, 31)]
    for _ in range(2):
        system.send("payment-events-dlq.fifo", *bodies, group="a")

        code, found = system.ask("dlq", "redrive", "--queue", "payment-events-dlq.fifo", "--all")

        assert (code, found["queues"][0]["done"]) == (0, 30)
        assert system.drain("payment-events.fifo") == bodies


def test_a_dry_run_changes_nothing(system: Operated) -> None:
    """It says what would be sent where, and what would be left; no line in the trail."""
    system.send("stock-dlq", a_record_body("a", 1), "nonsense")

    code, printed = system.run("dlq", "redrive", "--queue", "stock-dlq", "--all", "--dry-run")

    assert code == 0
    assert "would be sent to the bus stock-event-bus: PaymentCancelled of a (1), " in printed
    assert "would be left: it is still no event" in printed
    assert system.depth("stock-dlq") == (2, 0)
    assert not system.trail()


def test_an_outage_in_the_middle_leaves_the_rest_visible(system: Operated) -> None:
    """The destination is away: the redrive ends, says so, and lets go of what it has."""
    for n in range(1, 6):
        system.send("subscriptions-to-stock-dlq", an_event("a", n), attributes=by_eventbridge())
    system.gate.refuse("PutEvents", 503, "ServiceUnavailable")

    code, found = system.ask("dlq", "redrive", "--queue", "subscriptions-to-stock-dlq", "--all")

    assert code == 1
    assert "EventBridge is unavailable" in found["queues"][0]["stopped"]
    assert system.depth("subscriptions-to-stock-dlq") == (5, 0)


def test_a_drop_asks_first_and_writes_the_whole_body(system: Operated) -> None:
    """Without a terminal it wants --yes; what is dropped is in the trail byte for byte."""
    body = an_event("a", 1)
    system.send("stock-dlq", body, an_event("b", 1))
    with pytest.raises(NotConfirmed, match="--yes"):
        system.run("dlq", "drop", "--queue", "stock-dlq", "--id", "a-1")
    assert system.depth("stock-dlq") == (2, 0)

    code, _ = system.run("dlq", "drop", "--queue", "stock-dlq", "--id", "a-1", "--yes")

    (line,) = system.trail()
    assert (code, line["operation"], line["body"]) == (0, "drop", body)
    assert system.depth("stock-dlq") == (1, 0)


@pytest.mark.parametrize("answer", ["y", "n", ""])
def test_a_drop_is_for_what_was_shown_and_confirmed(system: Operated, answer: str) -> None:
    """What arrives while somebody thinks about it is not dropped; anything but yes drops none."""
    system.send("stock-dlq", an_event("a", 1))
    arguments = parser().parse_args(["dlq", "drop", "--queue", "stock-dlq", "--all"])
    printed = StringIO()

    def ask(question: str) -> str:
        assert question == "Drop 1 message for good? [y/N] "
        system.send("stock-dlq", an_event("b", 1))
        return answer

    def drop() -> int:
        output = Output(stdout=printed, stderr=printed)
        return run_drop(system.environment, arguments, output, ask=ask)

    if answer == "y":
        assert drop() == 0
    else:
        with pytest.raises(NotConfirmed, match="nothing was dropped"):
            drop()

    assert "would be dropped: SubscriptionCreated of a (1), " in printed.getvalue()
    assert [line["aggregateId"] for line in system.trail()] == (["a"] if answer == "y" else [])
    assert system.depth("stock-dlq") == (1 if answer == "y" else 2, 0)


def test_nothing_is_dropped_that_nobody_was_shown(system: Operated) -> None:
    """What comes between the look and the drop was confirmed by nobody."""
    arguments = parser().parse_args(["dlq", "drop", "--queue", "stock-dlq", "--all"])

    with pytest.raises(NothingChosen, match="nothing of any kind to drop"):
        run_drop(system.environment, arguments, Output(stdout=StringIO()), ask=lambda _: "y")


def test_an_id_that_is_not_there_is_named_beside_those_that_are(system: Operated) -> None:
    """What is there is sent; exit code 1 for what is not."""
    system.send("payment-cancelled-dlq", an_event("a", 1))

    code, found = system.ask(
        "dlq", "redrive", "--queue", "payment-cancelled-dlq", "--id", "a-1", "--id", "a-2"
    )

    assert (code, found["notFound"], found["queues"][0]["done"]) == (1, ["a-2"], 1)


def test_wrong_names_are_one_sentence_with_what_was_meant(system: Operated) -> None:
    """A queue, an id, a type that nothing has."""
    system.send("stock-dlq", an_event("a", 1))
    with pytest.raises(
        NoSuchName, match=r"no dead-letter queue 'stok-dlq': did you mean stock-dlq"
    ):
        system.run("dlq", "list", "--queue", "stok-dlq")
    with pytest.raises(NothingChosen, match="`streamed dlq list` shows"):
        system.run("dlq", "show", "nowhere")
    with pytest.raises(NothingChosen, match=r"type Nothing is in stock-dlq, which has 1 other"):
        system.run("dlq", "redrive", "--queue", "stock-dlq", "--event-type", "Nothing")


def test_an_empty_queue_is_no_failure(system: Operated) -> None:
    """There is nothing to do, and it says so."""
    assert system.run("dlq", "list", "--queue", "stock-dlq") == (0, "stock-dlq is empty\n")
    code, printed = system.run("dlq", "redrive", "--queue", "stock-dlq", "--all")
    assert (code, printed) == (0, "stock-dlq is empty\n")


def test_what_is_away_or_missing_is_one_sentence(system: Operated) -> None:
    """No traceback, whatever is wrong; exit code 2."""
    system.gate.cut()
    with pytest.raises(Unavailable):
        system.run("dlq", "list")
    system.gate.open()
    system.aws.client("sqs").delete_queue(QueueUrl=system.url("stock-dlq"))
    with pytest.raises(Misconfigured, match="the queue stock-dlq does not exist"):
        system.run("dlq", "list", "--queue", "stock-dlq")
    system.aws.client("sqs").create_queue(QueueName="stock-dlq")
