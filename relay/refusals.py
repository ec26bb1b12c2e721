"""Finds whose fault it was that a whole call was refused."""

from collections.abc import Callable, Sequence

from botocore.exceptions import ClientError

from contracts.outbox import OutboxRecord
from relay.rows import Failure
from runtime.aws import error_code
from runtime.errors import Unavailable


def find_culprit(
    records: Sequence[OutboxRecord],
    publish: Callable[[Sequence[OutboxRecord]], Sequence[Failure | None]],
    error: ClientError,
    *,
    permanent: bool,
) -> Sequence[Failure | None]:
    """Send a refused batch's entries one by one; a refused single is its own fault's Failure."""
    if len(records) > 1:
        return [_alone(record, publish) for record in records]
    message = error.response.get("Error", {}).get("Message", "")
    return [Failure(error_code(error), message, permanent)]


def _alone(
    record: OutboxRecord, publish: Callable[[Sequence[OutboxRecord]], Sequence[Failure | None]]
) -> Failure | None:
    """An outage here is this entry's alone: others of its batch may have been accepted by now."""
    try:
        (failure,) = publish([record])
    except Unavailable as error:
        return Failure(error.reason, str(error), permanent=False)
    return failure
