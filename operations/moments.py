"""Moments as a person writes them: `2026-11-23T09:30:00Z`, `2h ago`, `now`."""

import re
from datetime import UTC, datetime, timedelta

from contracts.timestamps import format_timestamp
from operations.errors import OperatorError

_AGO = re.compile(r"(\d{1,6}) ?(s|m|min|h|d)(?: ago)?")
_UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days"}


def parse_range(since: str, until: str, now: datetime) -> tuple[datetime, datetime]:
    """Read both ends of a range of time; raises OperatorError for one that has nothing in it."""
    start, end = parse_moment(since, now), parse_moment(until, now)
    if start > now:
        raise OperatorError(f"{format_timestamp(start)} is yet to come: --from must be past")
    if start >= end:
        raise OperatorError(
            f"nothing lies between {format_timestamp(start)} and {format_timestamp(end)}:"
            " --from must be before --to"
        )
    return start, end


def parse_moment(text: str, now: datetime) -> datetime:
    """Read a moment; one without a time zone is UTC. Raises OperatorError."""
    written = text.strip()
    if written == "now":
        return now
    try:
        if ago := _AGO.fullmatch(written):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(written)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise OperatorError(
            f"{text!r} is not a valid time: write 2026-11-23T09:30:00Z, now, or 90s, 30m, 2h, 3d"
            " ago"
        ) from None
