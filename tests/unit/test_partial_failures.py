"""Batches that fail as a whole, and what is none; test_fault_proxy has those that fail in part."""

import pytest

from verification.testkit.partial_failures import Choose, fail_partially


def failing(*which: bool) -> Choose:
    """Say of one entry after the other whether it fails."""
    answers = iter(which)
    return lambda _: ("InternalFailure", "injected") if next(answers) else None


@pytest.mark.parametrize(
    "action",
    ["PutEvents", "SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"],
)
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
