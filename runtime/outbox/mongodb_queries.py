"""Which documents of an outbox collection a scan is for."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bson.regex import Regex

from contracts.timestamps import format_timestamp
from runtime.outbox.rows import AHEAD, EVER

BY_AGE = [("occurredAt", 1), ("sequence", 1)]
"""The index that every outbox collection has."""

TIME_ALONE = {"_id": 0, "occurredAt": 1}
"""What the index answers by itself."""

TEXTS: Mapping[str, Any] = {"occurredAt": {"$gte": "0", "$lt": ":"}}
DATES: Mapping[str, Any] = {"occurredAt": {"$gte": datetime(1, 1, 1, tzinfo=UTC)}}
"""What may be a time, in the two ways in which one is stored."""

WIRE = Regex(
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][.][0-9]{3}Z$"
)
"""The wire's own form, of which the order of texts is the order of times. Not as $regex: before
MongoDB 4.0.7, $not takes none."""

NO_TEXTS: Mapping[str, Any] = {"occurredAt": {"$not": {"$type": "string"}}}
"""Dates, and all that is no time. All of the index is walked: it has no such range."""

# https://www.mongodb.com/docs/manual/reference/bson-types/: all that DocumentDB holds but texts,
# dates and arrays. Each is a range of the index.
_TIMELESS_TYPES = (1, 3, 5, 7, 8, 11, 16, 17, 18, 19, -1, 127)
TIMELESS: Mapping[str, Any] = {
    "$or": [
        {"occurredAt": {"$in": [None, []]}},
        *({"occurredAt": {"$type": kind}} for kind in _TIMELESS_TYPES),
    ]
}


def old_texts(moment: datetime) -> Mapping[str, Any]:
    return {"occurredAt": {"$lt": format_timestamp(moment)}}


def early_odd_texts(moment: datetime) -> Mapping[str, Any]:
    """Texts of another form than the wire's that sort before a moment, in whatever order."""
    return {"occurredAt": {"$lt": format_timestamp(moment), "$not": WIRE}}


def odd_texts(moment: datetime) -> Mapping[str, Any]:
    """Texts that sort behind a moment and may still be older, or no times at all.

    A text of the wire's own form, not further AHEAD, is certainly young.
    """
    if moment == EVER:
        return {"occurredAt": {"$gte": format_timestamp(moment)}}
    ahead = min(moment, EVER - AHEAD) + AHEAD
    return {
        "$or": [
            {"occurredAt": {"$gte": format_timestamp(moment), "$not": WIRE}},
            {"occurredAt": {"$gt": format_timestamp(ahead)}},
        ]
    }


def dates(moment: datetime) -> Mapping[str, Any]:
    """BSON dates before a moment, and those so far AHEAD that they may be malformed."""
    ahead = min(moment, EVER - AHEAD) + AHEAD
    return {"$or": [{"occurredAt": {"$lt": moment}}, {"occurredAt": {"$gte": ahead}}]}
