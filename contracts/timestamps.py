"""Times on the wire: ISO 8601, UTC, milliseconds, as in 2026-11-23T09:30:00.000Z.

That is how we write them. We read every ISO 8601 text that names one moment: a calendar date or a
week date, a time of day from hours to fractions of a second, and an offset, in the extended or the
basic format. `T` and `Z` may be lower case, a space may stand for `T`, a comma for the point. The
moment must lie in the years 1 to 9999 of UTC; it is read as UTC, and what is finer than a
millisecond is cut off. Any other text is malformed: no offset, second 60, hour 24, the year 0.

The rule is ours, not Python's: what `datetime.fromisoformat` takes differs from release to release.
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, PlainSerializer, WithJsonSchema

_WIRE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")

ISO_8601 = re.compile(
    r"(?P<year>[0-9]{4})"
    r"(?:-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"|(?P<month_>[0-9]{2})(?P<day_>[0-9]{2})"
    r"|-W(?P<week>[0-9]{2})(?:-(?P<weekday>[0-9]))?"
    r"|W(?P<week_>[0-9]{2})(?P<weekday_>[0-9])?)"
    r"[Tt ]"
    r"(?P<hour>[0-9]{2})"
    r"(?::(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]+))?)?"
    r"|(?P<minute_>[0-9]{2})(?:(?P<second_>[0-9]{2})(?:[.,](?P<fraction_>[0-9]+))?)?)?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2})"
    r"(?::?(?P<minutes>[0-9]{2})(?::?(?P<seconds>[0-9]{2}))?)?)"
)
"""The forms that are read, whether or not the calendar has such a day."""


@lru_cache(maxsize=8)
def format_timestamp(moment: datetime) -> str:
    """Write an aware datetime in the wire's form; what is finer than a millisecond is cut off.

    A commit writes the time of its event in eight places.
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> datetime:
    """Read a time as this module's rule says, as UTC; raises ValueError for any other text."""
    if _WIRE.fullmatch(text):
        return datetime.fromisoformat(text)
    found = ISO_8601.fullmatch(text)
    if found is None:
        raise ValueError("it is not an ISO 8601 time with an offset")
    part = {name.rstrip("_"): value for name, value in found.groupdict().items() if value}
    moment = datetime(
        *_date(part),
        int(part["hour"]),
        int(part.get("minute", 0)),
        int(part.get("second", 0)),
        int(part.get("fraction", "")[:3].ljust(3, "0")) * 1000,
        tzinfo=_offset(part),
    )
    return _in_utc(moment)


def normalised(moment: datetime) -> datetime:
    """Read an aware datetime as `parse_timestamp` would; raises ValueError outside its years."""
    if moment.tzinfo is None:
        raise ValueError("it has no offset")
    return to_milliseconds(_in_utc(moment))


def to_milliseconds(moment: datetime) -> datetime:
    """Cut a time to what the wire can carry, so that what is kept equals what was sent."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("it is not in the years 1 to 9999 of UTC") from None


def _date(part: dict[str, str]) -> tuple[int, int, int]:
    year = int(part["year"])
    if "week" not in part:
        return year, int(part["month"]), int(part["day"])
    day = date.fromisocalendar(year, int(part["week"]), int(part.get("weekday", 1)))
    return day.year, day.month, day.day


def _offset(part: dict[str, str]) -> timezone:
    if "sign" not in part:
        return UTC
    hours, minutes, seconds = (int(part.get(unit, 0)) for unit in ("hours", "minutes", "seconds"))
    if hours > 23 or minutes > 59 or seconds > 59:  # noqa: PLR2004 (a day, an hour, a minute)
        raise ValueError("an offset is less than a day")
    behind = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timezone(behind if part["sign"] == "+" else -behind)


def _read(value: object) -> datetime:
    if isinstance(value, str):
        return parse_timestamp(value)
    if isinstance(value, datetime):
        return normalised(value)
    raise ValueError("a time is a text")


Timestamp = Annotated[
    AwareDatetime,
    BeforeValidator(_read),
    PlainSerializer(format_timestamp, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
