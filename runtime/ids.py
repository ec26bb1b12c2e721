"""Identifiers and the clock, as functions that a composition root passes in."""

from datetime import UTC, datetime

from uuid_utils import compat, uuid4

from contracts.timestamps import to_milliseconds


def new_id() -> str:
    """Make a UUIDv4, without the call of the system that the standard library's takes."""
    return str(uuid4())


def new_event_id() -> str:
    """Make a UUIDv7: unique, and sorted by the time it was made."""
    return str(compat.uuid7())


def utc_now() -> datetime:
    """Tell the time to the millisecond, which is what events and rows carry."""
    return to_milliseconds(datetime.now(UTC))
