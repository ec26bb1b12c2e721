"""Times on the wire."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.timestamps import (
    format_timestamp,
    normalised,
    parse_timestamp,
    to_milliseconds,
)

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


SAME_MOMENT = (
    "2026-11-29T07:33:45.000Z",
    "2026-11-29T07:33:45Z",
    "20261129T073345Z",
    "2026-W48-7T07:33:45Z",
    "2026W487T073345Z",
    "2026-11-29T13:03:45+05:30",
    "2026-11-29T13:03:45.000999+0530",
    "2026-11-29 07:33:45.000+00",
    "2026-11-29t07:33:45,0000000001z",
    "2026-11-28T08:33:45-23:00:00",
    "2026-11-30T07:33:44+23:59:59",
)


@pytest.mark.parametrize("text", SAME_MOMENT)
def test_every_iso_8601_form_of_a_moment_is_read_as_that_moment(text: str) -> None:
    """Basic and extended, weeks, offsets, commas, spaces, lower case: one moment, in UTC."""
    moment = parse_timestamp(text)
    assert moment == datetime(2026, 11, 29, 7, 33, 45, tzinfo=UTC)
    assert moment.utcoffset() == timedelta(0)
    assert format_timestamp(moment) == SAME_MOMENT[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-11-23",
        "2026-11-23T09:30:00.000",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-W54-1T00:00:00Z",
        "2026-327T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T23:59:60Z",
        "2026-11-23x09:30:00Z",
        "2026-11-23T0930:00Z",
        "2026-11-23T09:30:00+24:00",
        "2026-11-23T09:30:00+00:60",
        "2026-11-23T09:30:00.Z",
        "2026-11-23T09:30:00.000Z\n",
        "\u0662\u0660\u0662\u0666-11-23T09:30:00.000Z",
        "2026-11-23T09:30:00.000\ud800",
        "0001-01-01T00:00:00.000+01:00",
        "9999-12-31T23:59:59.999-01:00",
        "1764488025",
    ],
)
def test_any_other_text_is_refused(text: str) -> None:
    """No offset, no such day or second, no moment of UTC's years 1 to 9999: ValueError, always."""
    with pytest.raises(ValueError, match=r"."):
        parse_timestamp(text)


@pytest.mark.parametrize("text", ["0001-01-01T01:00:00+01:00", "9999-12-31T22:59:59.9999-01:00"])
def test_the_ends_of_the_calendar_are_times(text: str) -> None:
    """The first and the last millisecond can be read, and written in the wire's form."""
    assert len(format_timestamp(parse_timestamp(text))) == len("2026-11-23T09:30:00.000Z")


@settings(deadline=None)
@given(st.datetimes(timezones=st.timezones()))
def test_a_moment_is_read_as_its_text_is(moment: datetime) -> None:
    """Both are the same UTC moment, or both are refused."""
    try:
        text = parse_timestamp(moment.isoformat())
    except ValueError:
        text = None
    try:
        assert normalised(moment) == text
    except ValueError:
        assert text is None
