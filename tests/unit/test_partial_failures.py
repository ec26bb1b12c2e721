"""Batches of which a part fails behind HTTP 200."""

import pytest

from verification.testkit.partial_failures import Body, Choose, fail_partially


def failing(*which: bool) -> Choose:
    """Say of one entry after the other whether it fails."""
    answers = iter(which)
    return lambda _: ("InternalFailure", "injected") if next(answers) else None


def test_put_events_asks_for_the_rest_and_answers_in_the_order_of_the_request() -> None:
    """The failed entries have a code in their place, and FailedEntryCount says how many."""
    entries = [{"Detail": "a"}, {"Detail": "b"}, {"Detail": "c"}]
    failure = fail_partially("PutEvents", {"Entries": entries}, failing(True, False, True))
    assert failure is not None
    assert failure.request == {"Entries": [{"Detail": "b"}]}
    answer = failure.answer({"FailedEntryCount": 0, "Entries": [{"EventId": "of-b"}]})
    assert answer["FailedEntryCount"] == 2
    assert [entry.get("ErrorCode") for entry in answer["Entries"]] == [
        "InternalFailure",
        None,
        "InternalFailure",
    ]
    assert answer["Entries"][1] == {"EventId": "of-b"}


@pytest.mark.parametrize(
    "action", ["SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"]
)
def test_an_sqs_batch_names_what_failed_and_blames_nobody(action: str) -> None:
    """It is the service's fault: the sender may try again."""
    body = {"QueueUrl": "q", "Entries": [{"Id": "0"}, {"Id": "1"}]}
    failure = fail_partially(action, body, failing(False, True))
    assert failure is not None
    assert failure.request == {"QueueUrl": "q", "Entries": [{"Id": "0"}]}
    answer = failure.answer({"Successful": [{"Id": "0"}]})
    assert answer["Successful"] == [{"Id": "0"}]
    assert [(entry["Id"], entry["SenderFault"]) for entry in answer["Failed"]] == [("1", False)]


def test_batch_write_item_gives_back_what_it_did_not_do() -> None:
    """UnprocessedItems has the requests as they were sent."""
    one: Body = {"DeleteRequest": {"Key": {"id": {"S": "1"}}}}
    two: Body = {"PutRequest": {"Item": {}}}
    body = {"RequestItems": {"outbox": [one, two]}}
    failure = fail_partially("BatchWriteItem", body, failing(True, False))
    assert failure is not None
    assert failure.request == {"RequestItems": {"outbox": [two]}}
    assert failure.answer({"UnprocessedItems": {}}) == {"UnprocessedItems": {"outbox": [one]}}


@pytest.mark.parametrize("action", ["PutEvents", "SendMessageBatch"])
def test_a_batch_that_fails_as_a_whole_asks_for_nothing(action: str) -> None:
    """An empty batch would be refused, and that is no half-failure."""
    failure = fail_partially(action, {"Entries": [{"Id": "0"}]}, failing(True))
    assert failure is not None
    assert failure.request is None
    assert failure.answer({}).get("FailedEntryCount", 1) == 1


def test_what_is_no_batch_or_does_not_fail_goes_through() -> None:
    """None: the request is nobody's business."""
    assert fail_partially("PutEvents", {"Entries": [{}]}, failing(False)) is None
    assert fail_partially("TransactWriteItems", {"TransactItems": [{}]}, failing(True)) is None
