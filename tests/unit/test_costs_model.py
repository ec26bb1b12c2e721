"""The designs' bills, reckoned by hand with prices and assumptions that are easy to multiply."""

from dataclasses import replace

import pytest

from contracts.names import EventType
from verification.benchmarks.calls import expected
from verification.benchmarks.costs.book import Assumption, Bill, Book, Charge, Price, load
from verification.benchmarks.costs.charges import calls_traffic
from verification.benchmarks.costs.designs import (
    DESIGNS,
    NAIVE_RELAY,
    PIPES,
    PIPES_DELETING,
    THIS_DESIGN,
    Design,
)
from verification.benchmarks.costs.model import Cost, costs
from verification.benchmarks.costs.usage import Usage

GIGA = 1_000_000_000


@pytest.fixture
def book() -> Book:
    """Each unit costs a dollar, and whatever is assumed is 2."""
    real = load()
    price = Price(dollars=1, per=1, unit="any", source="https://example.com", edition="today")
    two = Assumption(value=2, unit="any", why="easy to multiply")
    return Book(dict.fromkeys(real.prices, price), dict.fromkeys(real.assumptions, two))


def a_usage() -> Usage:
    """Two events: a subscription's, on three buses and in two queues, and a payment's."""
    return Usage(
        units={
            "DynamoDB write request units": 10,
            "DynamoDB write request units of deletes": 3,
            "DynamoDB read request units": 5,
            "SQS requests, standard": 4,
            "SQS requests, FIFO": 3,
            "bytes more in tables": GIGA,
            "bytes put in outboxes": 7 * GIGA,
            "DynamoDB write request units that packing spares": 2,
            "DynamoDB write request units of deletes that packing spares": 1,
        },
        published={EventType.SUBSCRIPTION_CREATED: 700, EventType.PAYMENT_CREATED: 600},
        calls={
            "subscriptions-relay": {"events PutEvents": 1, "dynamodb BatchWriteItem": 1},
            "payments-forward": {"sqs ReceiveMessage": 1, "events PutEvents": 1},
            "payments-change-stream": {"mongodb delete": 1, "sqs SendMessageBatch": 1},
            "payment-consumer": {"mongodb commitTransaction": 1, "sqs ReceiveMessage": 1},
        },
    )


def paid(design: Design, book: Book) -> dict[str, float]:
    """US dollars of one phase, by line."""
    return book.lines(design.phase(a_usage(), "created", book))


def test_every_design_pays_for_each_bus_and_each_delivery(book: Book) -> None:
    """Two events are put and one goes on to two more buses; two deliveries join four requests."""
    for design in DESIGNS:
        assert paid(design, book)["EventBridge: events"] == 2 + 2
    assert paid(NAIVE_RELAY, book)["SQS"] == 4 + 2


def test_in_batches_requests_and_invocations_are_fewer(book: Book) -> None:
    """Four together: a quarter of the queues' requests; what a bus delivers is not in a batch."""
    usage = replace(a_usage(), batch=4)
    found = book.lines(THIS_DESIGN.phase(usage, "created", book))
    assert found["SQS"] == 4 / 4 + 2 + 3 / 4
    assert found["Lambda: relays"] == (1 + 2 * 0.5) / 4
    assert found["EventBridge: events"] == 2 + 2
    assert found["DynamoDB: writes"] == 10 + 3
    assert book.lines(PIPES.phase(usage, "created", book))["EventBridge: Pipes"] == 1


def test_a_fuller_call_is_larger(book: Book) -> None:
    """Three calls pass the gateway with one event each, or one with three: 2 bytes for each."""
    one, three = (calls_traffic(replace(a_usage(), batch=batch), 3, book) for batch in (1, 3))
    assert one.quantity * GIGA == pytest.approx(3 * 2)
    assert three.quantity * GIGA == pytest.approx(2 + 2 * 2)


def test_ours_pays_for_deletes_functions_and_the_fifo_queue(book: Book) -> None:
    """13 units written; an invocation of 2 s with half a GB; three requests more."""
    found = paid(THIS_DESIGN, book)
    assert found["DynamoDB: writes"] == 10 + 3
    assert found["Lambda: relays"] == 1 + 2 * 0.5
    assert found["SQS"] == 4 + 2 + 3
    assert found["DocumentDB"] == 2 + 2
    assert "DynamoDB: outbox rows kept" not in found
    assert found["DynamoDB: rows kept"] == 2 * 2  # a GB for two months, and its recovery


def test_the_naive_relay_pays_for_reads_and_for_all_that_it_leaves(book: Book) -> None:
    """Seven GB of outbox rows for two months, and their recovery; no deletes, nothing of Lambda."""
    found = paid(NAIVE_RELAY, book)
    assert found["DynamoDB: writes"] == 10
    assert found["DynamoDB: reads"] == 5
    assert found["DynamoDB: outbox rows kept"] == 7 * 2 * 2
    assert found["DocumentDB"] == 2
    assert "Lambda: relays" not in found


def test_pipes_pays_for_requests_and_for_rows_until_they_expire(book: Book) -> None:
    """One request for the one event of a DynamoDB outbox; payments go by the FIFO queue.

    Its rows are not packed: they take two units more.
    """
    found = paid(PIPES, book)
    assert found["EventBridge: Pipes"] == 1
    assert found["DynamoDB: writes"] == 10 + 2
    assert found["SQS"] == 4 + 2 + 3
    two_days = 2 / (365 / 12)
    assert found["DynamoDB: outbox rows kept"] == pytest.approx(7 * 2 * two_days)


def test_a_pipe_whose_rows_are_deleted_pays_for_that(book: Book) -> None:
    """Three units and one that packing spares, and a call of the function for its one event."""
    found = paid(PIPES_DELETING, book)
    assert found["DynamoDB: writes"] == 10 + 2 + 3 + 1
    assert found["Lambda: relays"] == 1 + 2 * 2
    assert "DynamoDB: outbox rows kept" not in found


def test_an_idle_month_polls_at_its_pace(book: Book) -> None:
    """Seven queues and four forwarders are polled every 8 s; an hour has 360 looks, 15 sweeps."""
    found = book.lines(THIS_DESIGN.month(book, low_cost=False))
    assert found["SQS"] == 11 * 2 * 3600 / 8 + 2 * 360
    assert found["Fargate"] == 8 * (0.25 + 0.5) * 2
    assert found["Lambda: relays"] == 2 * 15 * 2 * (1 + 2 * 0.5)


def test_the_naive_relay_needs_one_task_more_and_polls_the_streams(book: Book) -> None:
    """Three relays beside three APIs and three consumers; two streams, twice a second."""
    found = book.lines(NAIVE_RELAY.month(book, low_cost=False))
    assert found["Fargate"] == 9 * (0.25 + 0.5) * 2
    assert found["DynamoDB: reads"] == 2 * 2 * 3600 * 2


def test_a_pipe_polls_its_streams_too(book: Book) -> None:
    """Two streams, twice a second in this book, and no sweeps."""
    found = book.lines(PIPES.month(book, low_cost=False))
    assert found["DynamoDB: reads"] == 2 * 2 * 3600 * 2
    assert "Lambda: relays" not in found


def test_a_stage_of_low_cost_pays_spot_and_an_instance(book: Book) -> None:
    """An hour of a NAT instance and of its address, and its disk; no gateway, and no traffic."""
    (cost, *_) = costs(expected.load(), book)
    prices = {charge.price for charge in cost.dev}
    assert {"fargate-spot-processor", "fargate-spot-memory", "nat-instance", "disk"} <= prices
    assert not {"fargate-processor", "fargate-memory", "nat-hour", "nat-traffic"} & prices
    assert book.lines(cost.dev)["NAT"] == 2 + 2 + 8


def test_a_mixture_is_between_its_parts(book: Book) -> None:
    """A fifth of those that cost 3 more when they are cancelled, beside a month's 10."""
    share = Assumption(value=0.2, unit="share", why="easy to multiply")
    assumed = Book(book.prices, {**book.assumptions, "cancelled-share": share})
    million = 1_000_000
    cost = Cost("any", _bill(5), _bill(3), _bill(10), _bill(6), assumed)
    assert (cost.created_only, cost.full, cost.idle, cost.idle_dev) == (5, 8, 10, 6)
    assert cost.million_in_a_month == 10 + 8
    assert cost.mixed == pytest.approx(5.6)
    assert cost.monthly(2 * million) == pytest.approx(10 + 2 * 5.6)


def test_a_bill_adds_up() -> None:
    """Quantities times prices, and a line's charges together."""
    price = Price(dollars=0.5, per=10, unit="any", source="https://example.com", edition="today")
    bill = (Charge("a", 20, "p"), Charge("b", 40, "p"), Charge("a", 60, "p"))
    book = Book({"p": price}, {})
    assert book.dollars(bill) == pytest.approx(6)
    assert book.lines(bill) == pytest.approx({"a": 4, "b": 2})


def _bill(quantity: float) -> Bill:
    return (Charge("any", quantity, "key"),)
