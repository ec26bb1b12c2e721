"""A row of an outbox as a person is shown it, also one that no event can be made of."""

from contracts.outbox import OutboxRecord
from operations.journey.evidence import OutboxRow
from relay.ports import Row


def waiting_row(row: Row, *, domain: str, outbox: str, relay: str) -> OutboxRow:
    """Describe a row by its record, or by its key and what is wrong with it."""
    record = row.content
    if isinstance(record, OutboxRecord):
        return OutboxRow.of_record(record, outbox=outbox, relay=relay)
    return OutboxRow.malformed(
        row.aggregate_id,
        row.sequence,
        str(record.error),
        domain=domain,
        outbox=outbox,
        relay=relay,
    )
