"""The committed counts, and what is said when the code no longer keeps to them."""

from pathlib import Path

from verification.benchmarks.calls import expected
from verification.benchmarks.calls.tally import CallTally, total

COUNTS = {
    "calls.created.stock-relay": {"dynamodb BatchWriteItem": 1, "events PutEvents": 1},
    "calls.cancelled.payment-api": {"mongodb find": 1},
}


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    """Sections keep their names and counts through the file."""
    path = tmp_path / "expected.toml"
    path.write_text(expected.dump(COUNTS))
    assert expected.load(path) == COUNTS


def test_every_difference_is_named_and_how_to_accept_it() -> None:
    """A call more, one that is gone and one that is new each have a line."""
    found = {"calls.created.stock-relay": {"events PutEvents": 2, "sqs SendMessage": 1}}
    lines = expected.changes(
        {"calls.created.stock-relay": COUNTS["calls.created.stock-relay"]}, found
    )
    assert lines == [
        "calls.created.stock-relay: dynamodb BatchWriteItem: expected 1, counted 0",
        "calls.created.stock-relay: events PutEvents: expected 1, counted 2",
        "calls.created.stock-relay: sqs SendMessage: expected 0, counted 1",
    ]
    assert "python -m verification.benchmarks.calls --accept" in expected.complaint(lines)
    assert expected.changes(COUNTS, COUNTS) == []


def test_what_happens_at_the_start_is_no_call() -> None:
    """Processes look for their tables and queues once."""
    tally = CallTally()
    tally.call("stock-consumer", "sqs GetQueueUrl")
    tally.phase = "created"
    tally.call("stock-consumer", "sqs ReceiveMessage")
    assert tally.sections() == {"calls.created.stock-consumer": {"sqs ReceiveMessage": 1}}


def test_commands_to_mongodb_are_no_calls_to_aws() -> None:
    """A total counts them only where it is asked for them."""
    assert total(COUNTS, "calls") == 2
    assert total(COUNTS, "calls", phase="created") == 2
    assert total(COUNTS, "calls", service="events") == 1
    assert total(COUNTS, "calls", service="mongodb") == 1
