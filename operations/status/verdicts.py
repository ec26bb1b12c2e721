"""What a number means, in plain words, and whether it needs attention. Pure.

The bounds are those of the alarms on AWS (infra.aws.alarms), which need CDK to be read: a test
holds these to them.
"""

from dataclasses import dataclass
from datetime import timedelta

from operations.output import age, counted
from operations.sources.depths import Depth

LATE_ROW = timedelta(seconds=180)
"""In an outbox: a daemon's sweep takes what is half a minute old."""

LATE_MESSAGE = timedelta(seconds=300)
"""In a work queue: a message takes milliseconds, and 30 s after its consumer's death."""

STREAM_LAG = timedelta(seconds=60)
"""Behind a stream's end."""


@dataclass(frozen=True)
class LineVerdict:
    """A sentence, and whether it needs attention."""

    text: str
    needs_attention: bool = False


def on_outbox(depth: int, oldest: timedelta | None, relay: str) -> LineVerdict:
    """Judge `depth` rows, the oldest that old; None is an age that cannot be read."""
    if not depth:
        return LineVerdict("empty")
    if oldest is None:
        return LineVerdict(
            f"{_wait(depth)}, with no time that can be read: see {relay}'s log", True
        )
    waits = f"{_wait(depth)}, the oldest for {age(oldest)}"
    if oldest < LATE_ROW:
        return LineVerdict(f"{waits}: on the way")
    return LineVerdict(f"{waits}: {relay} is not publishing; see its log and /readyz", True)


def on_stream(lag: timedelta, waiting: int, relay: str) -> LineVerdict:
    """Judge what a relay said when it last read a row; `waiting` is what is in its outbox.

    A relay that has caught up and hears nothing shows the lag of its last row for ever.
    """
    if not lag:
        return LineVerdict("no row was read since it started")
    read = f"the last row was read {_seconds(lag)} after it occurred"
    if lag < STREAM_LAG or not waiting:
        return LineVerdict(read)
    return LineVerdict(f"{read}: {relay} is behind, or cannot publish; see its log", True)


def on_queue(depth: Depth, oldest: timedelta | None, consumer: str, *, stuck: bool) -> LineVerdict:
    """Judge a work queue; `stuck` if, without ages, two looks found the same ones untouched."""
    if not depth.total:
        return LineVerdict("empty")
    if not depth.visible:
        return LineVerdict(f"{depth.in_flight} in work")
    waits = _wait(depth.visible)
    beside = f", {depth.in_flight} in work" if depth.in_flight else ""
    if oldest is not None and oldest >= LATE_MESSAGE:
        return LineVerdict(
            f"{waits}, the oldest for {age(oldest)}{beside}: is {consumer} ready? see its /readyz",
            True,
        )
    if stuck:
        return LineVerdict(f"{waits} and none is received: is {consumer} running?", True)
    since = f", the oldest for {age(oldest)}" if oldest is not None else ""
    return LineVerdict(f"{waits}{since}{beside}: on the way")


def on_dead_letters(depth: Depth, oldest: timedelta | None, queue: str) -> LineVerdict:
    """Judge a dead-letter queue: all that is in it needs attention."""
    if not depth.total:
        return LineVerdict("empty")
    return LineVerdict(f"{dead_letters(depth, oldest)}: `streamed dlq list --queue {queue}`", True)


def dead_letters(depth: Depth, oldest: timedelta | None) -> str:
    """Say how many there are, of one or more."""
    count = counted(depth.total, "dead letter")
    since = f", the oldest for {age(oldest)}" if oldest is not None else ""
    hidden = f", {depth.in_flight} of them in flight" if depth.in_flight else ""
    return f"{count}{since}{hidden}"


def _wait(count: int) -> str:
    return "1 waits" if count == 1 else f"{count} wait"


def _seconds(span: timedelta) -> str:
    seconds = span.total_seconds()
    return age(span) if seconds >= 10 else f"{seconds:.1f} s"  # noqa: PLR2004
