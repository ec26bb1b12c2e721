"""The events that an aggregate's row has committed, as the row keeps them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from contracts.timestamps import format_timestamp, parse_timestamp

Past = tuple[int, str, datetime]
"""An event's sequence, its type, and when it happened."""


def write_history(events: Iterable[Past]) -> list[dict[str, Any]]:
    """Write events as a row's attribute `events`."""
    return [
        {"sequence": sequence, "type": str(name), "at": format_timestamp(at)}
        for sequence, name, at in events
    ]


def kept_history(row: Mapping[str, Any]) -> tuple[Past, ...]:
    """Read a row's events, in sequence; a row of an earlier release keeps none.

    Raises KeyError, TypeError or ValueError for what `write_history` did not write.
    """
    return tuple(
        (each["sequence"], each["type"], parse_timestamp(each["at"]))
        for each in row.get("events") or ()
    )


def read_history(
    row: Mapping[str, Any], *, first: str, created: datetime, updated: datetime
) -> tuple[Past, ...]:
    """Read a row's events likewise, or infer those of a row that keeps none.

    They are its last and, unless the row began with that, one of the type `first`.
    """
    last = (row["version"], row["event"], updated)
    began = row["version"] == 1 or created == updated
    return kept_history(row) or ((last,) if began else ((1, first, created), last))
