"""Times on the wire."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.timestamps import format_timestamp, parse_timestamp, to_milliseconds

# Away from both ends of the calendar, where a time in another zone has no UTC date.
moments = st.datetimes(
    min_value=datetime(1, 1, 2),  # noqa: DTZ001 (hypothesis adds the zone)
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=st.builds(
        timezone,
        st.timedeltas(min_value=timedelta(hours=-23), max_value=timedelta(hours=23)),
    ),
)


def test_a_time_is_written_in_utc_with_milliseconds() -> None:
    """A time in another zone is written as the same moment in UTC, with three decimals and Z."""
    moment = datetime(2026, 11, 23, 10, 30, 0, 7_000, tzinfo=timezone(timedelta(hours=1)))
    assert format_timestamp(moment) == "2026-11-23T09:30:00.007Z"


def test_what_is_finer_than_a_millisecond_is_cut_off() -> None:
    """Nothing is rounded up: an event never seems to have happened later than it did."""
    moment = datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert format_timestamp(moment) == "2026-12-31T23:59:59.999Z"
    assert to_milliseconds(moment) == moment.replace(microsecond=999_000)


@settings(deadline=None)
@given(moments)
def test_what_was_written_is_read_back_to_the_millisecond(moment: datetime) -> None:
    """Any time, in any zone, survives the wire but for what is finer than a millisecond."""
    assert parse_timestamp(format_timestamp(moment)) == to_milliseconds(moment.astimezone(UTC))


@settings(deadline=None)
@given(moments)
def test_every_time_takes_as_many_characters(moment: datetime) -> None:
    """The form is fixed in width, so that texts sort as the times they stand for."""
    assert len(format_timestamp(moment)) == len("2026-11-23T09:30:00.000Z")


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-11-23", "2026-11-23T09:30:00.000", "2026-13-01T00:00:00Z"]
)
def test_a_text_that_is_no_aware_time_is_refused(text: str) -> None:
    """A date, a time without a zone and plain text raise ValueError."""
    with pytest.raises(ValueError, match=r"."):
        parse_timestamp(text)
