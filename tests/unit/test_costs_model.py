"""The designs' bills, reckoned by hand with prices and assumptions that are easy to multiply."""

import pytest

from verification.benchmarks.costs.bill import Bill, Charge, dollars, lines, times
from verification.benchmarks.costs.book import Assumption, Book, Price, load
from verification.benchmarks.costs.designs import Design, Naive, Ours, Pipes
from verification.benchmarks.costs.model import Cost
from verification.benchmarks.costs.usage import Published, Usage

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
        },
        published=(
            Published("subscriptions-event-bus", "SubscriptionCreated", 700),
            Published("payments-event-bus", "PaymentCreated", 600),
        ),
        calls={
            "subscriptions-relay": {"events PutEvents": 1, "dynamodb BatchWriteItem": 1},
            "payments-forward": {"sqs ReceiveMessage": 1, "events PutEvents": 1},
            "payments-change-stream": {"mongodb delete": 1, "sqs SendMessageBatch": 1},
            "payment-consumer": {"mongodb commitTransaction": 1, "sqs ReceiveMessage": 1},
        },
    )


def paid(design: Design, book: Book) -> dict[str, float]:
    """US dollars of one phase, by line."""
    return lines(design.phase(a_usage(), "created", book), book.prices)


def test_every_design_pays_for_each_bus_and_each_delivery(book: Book) -> None:
    """Two events are put and one goes on to two more buses; two deliveries join four requests."""
    for design in (Ours(), Naive(), Pipes()):
        assert paid(design, book)["EventBridge: events"] == 2 + 2
    assert paid(Naive(), book)["SQS"] == 4 + 2


def test_ours_pays_for_deletes_functions_and_the_fifo_queue(book: Book) -> None:
    """13 units written; an invocation of 2 s with half a GB; three requests more."""
    found = paid(Ours(), book)
    assert found["DynamoDB: writes"] == 10 + 3
    assert found["Lambda: relays"] == 1 + 2 * 0.5
    assert found["SQS"] == 4 + 2 + 3
    assert found["DocumentDB"] == 2 + 2
    assert "DynamoDB: outbox rows kept" not in found
    assert found["DynamoDB: rows kept"] == 2 * 2  # a GB for two months, and its recovery


def test_the_naive_relay_pays_for_reads_and_for_all_that_it_leaves(book: Book) -> None:
    """Seven GB of outbox rows for two months, and their recovery; no deletes, nothing of Lambda."""
    found = paid(Naive(), book)
    assert found["DynamoDB: writes"] == 10
    assert found["DynamoDB: reads"] == 5 + 1
    assert found["DynamoDB: outbox rows kept"] == 7 * 2 * 2
    assert found["DocumentDB"] == 2
    assert "Lambda: relays" not in found


def test_pipes_pays_for_requests_and_for_rows_until_they_expire(book: Book) -> None:
    """One request for the one event of a DynamoDB outbox; payments go by the FIFO queue."""
    found = paid(Pipes(), book)
    assert found["EventBridge: Pipes"] == 1
    assert found["DynamoDB: writes"] == 10
    assert found["SQS"] == 4 + 2 + 3
    two_days = 2 / (365 / 12)
    assert found["DynamoDB: outbox rows kept"] == pytest.approx(7 * 2 * two_days)


def test_an_idle_month_polls_at_its_pace(book: Book) -> None:
    """In two hours, four queues and four forwarders poll every 8 s; 360 looks are taken an hour."""
    found = lines(Ours().month(book), book.prices)
    assert found["SQS"] == 8 * 2 * 3600 / 8 + 2 * 360
    assert found["Fargate"] == 8 * (0.25 + 0.5) * 2
    assert found["Lambda: relays"] == 2 * 60 * 2 * (1 + 2 * 0.5)


def test_the_naive_relay_needs_one_task_more_and_polls_the_streams(book: Book) -> None:
    """Three relays beside three APIs and three consumers; two streams, twice a second."""
    found = lines(Naive().month(book), book.prices)
    assert found["Fargate"] == 9 * (0.25 + 0.5) * 2
    assert found["DynamoDB: reads"] == 2 * 2 * 3600 * 2


def test_a_mixture_is_between_its_parts(book: Book) -> None:
    """A fifth of those that cost 3 more when they are cancelled, beside a month's 10."""
    share = Assumption(value=0.2, unit="share", why="easy to multiply")
    assumed = Book(book.prices, {**book.assumptions, "cancelled-share": share})
    million = 1_000_000
    cost = Cost("any", _bill(5), _bill(3), _bill(10), assumed)
    assert (cost.created_only, cost.full, cost.idle) == (5, 8, 10)
    assert cost.mixed == pytest.approx(5.6)
    assert cost.monthly(2 * million) == pytest.approx(10 + 2 * 5.6)


def test_a_bill_adds_up() -> None:
    """Quantities times prices, a line's charges together, and so many times as much."""
    price = Price(dollars=0.5, per=10, unit="any", source="https://example.com", edition="today")
    bill = (Charge("a", 20, "p"), Charge("b", 40, "p"), Charge("a", 60, "p"))
    assert dollars(bill, {"p": price}) == pytest.approx(6)
    assert lines(bill, {"p": price}) == pytest.approx({"a": 4, "b": 2})
    assert dollars(times(bill, 3), {"p": price}) == pytest.approx(18)


def _bill(quantity: float) -> Bill:
    return (Charge("any", quantity, "key"),)
