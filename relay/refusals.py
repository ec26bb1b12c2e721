"""Finds whose fault it was that a whole call was refused."""

from collections.abc import Callable, Sequence

from botocore.exceptions import ClientError

from contracts.outbox import OutboxRecord
from relay.rows import Failure
from runtime.aws import error_code


def find_culprit(
    records: Sequence[OutboxRecord],
    publish: Callable[[Sequence[OutboxRecord]], Sequence[Failure | None]],
    error: ClientError,
    *,
    permanent: bool,
) -> Sequence[Failure | None]:
    """Send a refused batch's entries one by one; a refused single is its own fault's Failure."""
    if len(records) > 1:
        return [failure for record in records for failure in publish([record])]
    message = error.response.get("Error", {}).get("Message", "")
    return [Failure(error_code(error), message, permanent)]
