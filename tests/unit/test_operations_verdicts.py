"""What numbers mean, and which of them need a person."""

from datetime import timedelta

import pytest

from operations.output import age
from operations.sources.depths import Depth
from operations.status import verdicts
from operations.status.verdicts import LineVerdict, on_dead_letters, on_outbox, on_queue, on_stream
from tests.stack_constants import constants

MINUTE = timedelta(minutes=1)


def test_the_bounds_are_those_of_the_alarms() -> None:
    """What wakes a person on AWS, and what tells a person here to act, is the same."""
    alarms = constants("alarms")
    assert timedelta(seconds=alarms["MOST_ROW_AGE"]) == verdicts.LATE_ROW
    assert timedelta(seconds=alarms["MOST_MESSAGE_AGE"]) == verdicts.LATE_MESSAGE
    assert timedelta(milliseconds=alarms["MOST_ITERATOR_AGE"]) == verdicts.STREAM_LAG


@pytest.mark.parametrize(
    ("verdict", "text", "needs_attention"),
    [
        (on_outbox(0, None, "r"), "empty", False),
        (on_outbox(1, timedelta(seconds=2), "r"), "1 waits, the oldest for 2 s: on the way", False),
        (
            on_outbox(12, 4 * MINUTE, "stock-relay"),
            "12 wait, the oldest for 4 min: stock-relay is not publishing; see its log and /readyz",
            True,
        ),
        (on_outbox(3, None, "r"), "3 wait, with no time that can be read: see r's log", True),
        (on_stream(timedelta(), 0, "r"), "no row was read since it started", False),
        (
            on_stream(timedelta(seconds=0.2), 5, "r"),
            "the last row was read 0.2 s after it occurred",
            False,
        ),
        (
            on_stream(5 * MINUTE, 0, "r"),
            "the last row was read 5 min after it occurred",
            False,
        ),
        (
            on_stream(5 * MINUTE, 7, "r"),
            (
                "the last row was read 5 min after it occurred: r is behind, or cannot publish;"
                " see its log"
            ),
            True,
        ),
        (on_queue(Depth(0, 0), None, "c", stuck=False), "empty", False),
        (on_queue(Depth(0, 2), None, "c", stuck=False), "2 in work", False),
        (on_queue(Depth(4, 2), None, "c", stuck=False), "4 wait, 2 in work: on the way", False),
        (
            on_queue(Depth(4, 0), MINUTE, "c", stuck=False),
            "4 wait, the oldest for 60 s: on the way",
            False,
        ),
        (
            on_queue(Depth(4, 1), 6 * MINUTE, "c", stuck=False),
            "4 wait, the oldest for 6 min, 1 in work: is c ready? see its /readyz",
            True,
        ),
        (
            on_queue(Depth(4, 0), None, "c", stuck=True),
            "4 wait and none is received: is c running?",
            True,
        ),
        (on_dead_letters(Depth(0, 0), None, "q"), "empty", False),
        (
            on_dead_letters(Depth(2, 1), 3 * timedelta(hours=1), "q"),
            (
                "3 dead letters, the oldest for 3 h, 1 of them in flight:"
                " `streamed dlq list --queue q`"
            ),
            True,
        ),
        (
            on_dead_letters(Depth(1, 0), None, "q"),
            "1 dead letter: `streamed dlq list --queue q`",
            True,
        ),
    ],
    ids=lambda value: value.text if isinstance(value, LineVerdict) else "",
)
def test_a_verdict_is_a_sentence(verdict: LineVerdict, text: str, needs_attention: bool) -> None:
    """In plain words, with what to look at where somebody has to."""
    assert verdict == LineVerdict(text, needs_attention)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (86400 * 3, "3 d")],
)
def test_an_age_is_one_number(seconds: int, text: str) -> None:
    """In the unit that people would use."""
    assert age(timedelta(seconds=seconds)) == text
