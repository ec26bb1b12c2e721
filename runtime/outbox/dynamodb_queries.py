"""Which rows of an outbox table a scan is for."""

from datetime import datetime
from typing import Any

from contracts.timestamps import format_timestamp
from runtime.outbox.rows import AHEAD, EVER


def not_surely_young(moment: datetime) -> dict[str, Any]:
    """A filter that leaves out the rows that are certainly young; the others are judged here.

    Certain is a text of the wire's own form from `moment` on and not further AHEAD. A text is of
    that form if it has its length, its signs, and no week in it: then the order of texts is the
    order of times. An expression has no patterns: `2026-02-30T...` passes for a time, and is found
    once the moment has passed it.
    """
    if moment == EVER:
        return {}
    ahead = min(moment, EVER - AHEAD) + AHEAD
    signs = {":date": "-", ":T": "T", ":time": ":", ":point": ".", ":Z": "Z"}
    return {
        "FilterExpression": "NOT (attribute_type(occurredAt, :string) AND size(occurredAt) = :size"
        " AND occurredAt BETWEEN :moment AND :ahead AND NOT contains(occurredAt, :week) AND "
        + " AND ".join(f"contains(occurredAt, {name})" for name in signs)
        + ")",
        "ExpressionAttributeValues": {
            ":string": {"S": "S"},
            ":size": {"N": str(len(format_timestamp(moment)))},
            ":moment": {"S": format_timestamp(moment)},
            ":ahead": {"S": format_timestamp(ahead)},
            ":week": {"S": "W"},
            **{name: {"S": sign} for name, sign in signs.items()},
        },
    }
