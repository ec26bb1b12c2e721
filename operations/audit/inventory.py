"""Compares what is reserved with what was taken. Pure."""

from collections.abc import Iterator

from contracts.names import EventType
from operations.audit.report import Difference, FindingKind
from operations.sources.reservations import Reservations


def unbalanced(found: Reservations) -> Iterator[Difference]:
    """Yield each shard whose numbers do not agree with the rows, or with each other.

    One that changed while the rows were read says nothing. A sequence here is the shard's number.
    """
    for key in sorted({*found.before, *found.after, *found.taken}):
        count, taken = found.after.get(key), found.taken[key]
        if count != found.before.get(key):
            continue
        reserved = count.reserved if count else 0
        if reserved != taken:
            hint = f"shard {key.shard} has {reserved} reserved, its rows have taken {taken}"
            yield Difference(FindingKind.NOT_RESERVED, "", *key, found.inventory, hint)
        elif count and count.available != count.on_hand - count.reserved:
            hint = (
                f"shard {key.shard} has {count.on_hand} on hand, {count.reserved} reserved and"
                f" {count.available} available"
            )
            yield Difference(FindingKind.NOT_RESERVED, "", *key, found.inventory, hint)
    for aggregate_id, (taken, stock) in sorted(found.unlike.items()):
        hint = f"it has {stock} put aside, and {taken} taken from the inventory"
        kind, name = FindingKind.NOT_RESERVED, EventType.STOCK_ALLOCATED
        yield Difference(kind, name, aggregate_id, 1, found.inventory, hint)
