"""The audit trail and the rate limit of a redrive."""

import json
import stat
from pathlib import Path

import pytest

from operations.dlq.rate_limiter import SLICE, RateLimiter
from operations.dlq.trail import BLOCK, Trail, newest, operator
from operations.errors import OperatorError
from tests.builders import clock
from tests.dead_letters import a_dead_letter


def test_a_line_says_who_did_what_to_which_message(tmp_path: Path) -> None:
    """JSON, one line a message, appended to what is there."""
    path = tmp_path / "deep" / "trail.jsonl"
    for _ in range(2):
        with Trail(path, "redrive", now=clock()) as trail:
            trail.write([trail.line(a_dead_letter("a", 1), "sent", destination="the queue work")])

    first, second = (json.loads(line) for line in path.read_text().splitlines())

    assert first == second
    assert first == {
        "at": "2026-11-23T09:30:00.000Z",
        "who": operator(),
        "operation": "redrive",
        "queue": "dlq",
        "messageId": "a-1",
        "eventId": "event-a-1",
        "eventType": "SubscriptionCreated",
        "aggregateId": "a",
        "destination": "the queue work",
        "outcome": "sent",
    }


def test_the_newest_lines_are_read_from_the_end(tmp_path: Path) -> None:
    """The newest first, over lines as long as a dropped message's, and never all of a long file."""
    path = tmp_path / "trail.jsonl"
    with Trail(path, "drop", now=clock()) as trail:
        for number in range(1, 8):
            trail.write([trail.line(a_dead_letter("a", number), "dropped", body="x" * BLOCK)])

    assert [each["messageId"] for each in newest(path, 3)] == ["a-7", "a-6", "a-5"]
    assert len(newest(path, 100)) == 7


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_short_trail_is_read_whole(tmp_path: Path, count: int) -> None:
    """From its very first line on."""
    path = tmp_path / "trail.jsonl"
    with Trail(path, "redrive", now=clock()) as trail:
        trail.write(trail.line(a_dead_letter("a", n + 1), "sent") for n in range(count))

    assert [each["messageId"] for each in newest(path, 2)] == [
        f"a-{n}" for n in range(count, max(0, count - 2), -1)
    ]


def test_what_is_no_line_of_a_trail_is_left_out(tmp_path: Path) -> None:
    """What a killed command began, an empty line, a list."""
    path = tmp_path / "trail.jsonl"
    path.write_text('{"at":"2026\n\n[1]\n{"messageId":"a"}\n{"at')
    assert newest(path, 10) == [{"messageId": "a"}]


def test_a_trail_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """And one that is not there yet has no lines."""
    assert newest(tmp_path / "nothing", 10) == []
    with pytest.raises(OperatorError, match="cannot be read"):
        newest(tmp_path, 10)


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    """A dropped message is in it with its bank details."""
    path = tmp_path / "trail.jsonl"
    with Trail(path, "drop"):
        pass

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_line_that_a_killed_command_began_is_ended(tmp_path: Path) -> None:
    """The next command's first line must be one that can be read."""
    path = tmp_path / "trail.jsonl"
    path.write_text('{"at":"2026')
    with Trail(path, "redrive") as trail:
        trail.write([trail.line(a_dead_letter("a", 1), "sent")])

    torn, whole = path.read_text().splitlines()

    assert torn == '{"at":"2026'
    assert json.loads(whole)["messageId"] == "a-1"


def test_half_a_surrogate_pair_can_be_written(tmp_path: Path) -> None:
    """What came in as JSON's escapes may be no text; it is no reason to stop."""
    path = tmp_path / "trail.jsonl"
    with Trail(path, "drop") as trail:
        trail.write([trail.line(a_dead_letter("a", 1), "dropped", body="\ud800")])

    assert json.loads(path.read_text())["body"]


def test_a_file_that_cannot_be_written_stops_before_anything_is_done(tmp_path: Path) -> None:
    """One sentence, which says how to mend it."""
    with pytest.raises(OperatorError, match=r"cannot be written .*STREAMED_AUDIT_FILE"):
        Trail(tmp_path, "redrive")


def test_a_rate_is_kept_without_a_burst_after_a_pause() -> None:
    """Ten a second: the eleventh waits for its tenth of a second."""
    passed, waited = [0.0], list[float]()

    def wait(seconds: float) -> None:
        waited.append(seconds)
        passed[0] += seconds

    limiter = RateLimiter(10, now=lambda: passed[0], wait=wait)
    limiter.acquire(5, lambda: None)
    assert not waited
    limiter.acquire(5, lambda: None)
    assert sum(waited) == pytest.approx(0.5)
    passed[0] += 60
    limiter.acquire(10, lambda: None)
    limiter.acquire(10, lambda: None)
    assert sum(waited) == pytest.approx(1.5)


def test_a_long_wait_looks_after_what_is_in_hand() -> None:
    """One a minute: what is hidden must be kept hidden meanwhile."""
    passed, looks = [0.0], [0]

    def wait(seconds: float) -> None:
        assert seconds <= SLICE
        passed[0] += seconds

    def look() -> None:
        looks[0] += 1

    limiter = RateLimiter(1 / 60, now=lambda: passed[0], wait=wait)
    assert limiter.most == 1
    limiter.acquire(1, look)
    limiter.acquire(1, look)
    assert passed[0] == pytest.approx(60)
    assert looks[0] == 12


def test_a_disk_that_is_full_is_one_sentence_and_says_where_the_messages_are() -> None:
    """A redrive or a drop ends there: what has no line is not deleted."""
    with (
        Trail(Path("/dev/full"), "drop") as trail,
        pytest.raises(OperatorError, match=r"No space left.*still in its queue"),
    ):
        trail.write([{"messageId": "a"}])
