"""Moments as a person writes them: `2026-11-23T09:30:00Z`, `2h ago`, `now`."""

import re
from datetime import UTC, datetime, timedelta

_AGO = re.compile(r"(\d{1,6}) ?(s|m|min|h|d)(?: ago)?")
_UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days"}


def parse_moment(text: str, now: datetime) -> datetime:
    """Read a moment; one without a time zone is UTC. Raises ValueError that says what is read."""
    written = text.strip()
    if written == "now":
        return now
    if ago := _AGO.fullmatch(written):
        try:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        except OverflowError:
            raise ValueError(f"{text!r} is before the calendar begins") from None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise ValueError(
            f"{text!r} is no moment: write 2026-11-23T09:30:00Z, or 90s, 30m, 2h, 3d for so long ago"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
