"""Moments as a person writes them: `2026-11-23T09:30:00Z`, `2h ago`, `now`."""

import re
from datetime import UTC, datetime, timedelta

from contracts.timestamps import format_timestamp
from operations.errors import OperatorError

_AGO = re.compile(r"(\d{1,6}) ?(s|m|min|h|d)(?: ago)?")
_UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days"}


class NotAMoment(OperatorError):
    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is not a valid time: write 2026-11-23T09:30:00Z, now, or 90s, 30m, 2h, 3d"
            " ago"
        )


class EmptyRange(OperatorError):
    def __init__(self, since: datetime, until: datetime) -> None:
        super().__init__(
            f"nothing lies between {format_timestamp(since)} and {format_timestamp(until)}:"
            " --from must be before --to"
        )


class NotYet(OperatorError):
    def __init__(self, since: datetime) -> None:
        super().__init__(f"{format_timestamp(since)} is yet to come: --from must be past")


def parse_range(since: str, until: str, now: datetime) -> tuple[datetime, datetime]:
    """Read both ends of a range of time; raises NotAMoment, EmptyRange, NotYet."""
    start, end = parse_moment(since, now), parse_moment(until, now)
    if start > now:
        raise NotYet(start)
    if start >= end:
        raise EmptyRange(start, end)
    return start, end


def parse_moment(text: str, now: datetime) -> datetime:
    """Read a moment; one without a time zone is UTC. Raises NotAMoment."""
    written = text.strip()
    if written == "now":
        return now
    if ago := _AGO.fullmatch(written):
        try:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        except OverflowError:
            raise NotAMoment(text) from None
    try:
        moment = datetime.fromisoformat(written)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotAMoment(text) from None
