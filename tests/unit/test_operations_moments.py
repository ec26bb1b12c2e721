"""Moments as a person writes them."""

from datetime import UTC, datetime, timedelta

import pytest

from operations.errors import OperatorError
from operations.moments import parse_moment, parse_range

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", NOW),
        ("90s", NOW - timedelta(seconds=90)),
        ("30m ago", NOW - timedelta(minutes=30)),
        ("2 h ago", NOW - timedelta(hours=2)),
        (" 3d ", NOW - timedelta(days=3)),
        ("2026-11-23T10:30:00+02:00", NOW - timedelta(hours=1)),
        ("2026-11-23T09:30:00Z", NOW),
        ("2026-11-23 09:30", NOW),
        ("2026-11-23", NOW.replace(hour=0, minute=0)),
    ],
)
def test_a_moment_is_read_and_is_utc(text: str, moment: datetime) -> None:
    """ISO 8601, UTC where it names no zone, or how long ago."""
    read = parse_moment(text, NOW)

    assert (read, read.tzinfo) == (moment, UTC)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2h later", "-2h", "2.5h", "999999d", "2026-13-01", "0001-01-01T00:00+14:00"],
)
def test_what_is_no_moment_is_refused_with_what_is_one(text: str) -> None:
    """One sentence, with examples."""
    with pytest.raises(OperatorError, match="2h, 3d ago"):
        parse_moment(text, NOW)


def test_a_range_must_not_be_empty() -> None:
    """Its end comes after its beginning."""
    assert parse_range("2h", "1h", NOW) == (NOW - timedelta(hours=2), NOW - timedelta(hours=1))
    with pytest.raises(OperatorError, match="before --to"):
        parse_range("1h", "2h", NOW)
    with pytest.raises(OperatorError, match="nothing lies between"):
        parse_range("now", "now", NOW)


def test_a_range_must_have_begun() -> None:
    """Of the future there is nothing to tell; an end in the future is as good as now."""
    with pytest.raises(OperatorError, match="must be past"):
        parse_range("2099-01-01", "2100-01-01", NOW)
    assert parse_range("1h", "2099-01-01", NOW)[0] == NOW - timedelta(hours=1)
