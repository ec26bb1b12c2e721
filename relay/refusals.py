"""Finds whose fault it was that a whole call was refused, and what a refusal means."""

from collections.abc import Callable, Sequence

from botocore.exceptions import ClientError

from contracts.outbox import OutboxRecord
from relay.ports import Failure
from runtime.aws import error_code
from runtime.aws_failures import family_of_code
from runtime.errors import Unavailable
from runtime.verdicts import Family


def is_the_entrys_fault(code: str) -> bool:
    """Whether an entry with this error is refused every time.

    Those of KMS, say, are not its fault: SQS's own SenderFault blames the sender for a key that is
    disabled for an hour.
    """
    return family_of_code(code) is Family.ENTRY


def is_unknown(code: str) -> bool:
    """Whether an error is in no list."""
    return family_of_code(code) is Family.UNKNOWN


def find_culprit(
    records: Sequence[OutboxRecord],
    publish: Callable[[Sequence[OutboxRecord]], Sequence[Failure | None]],
    error: ClientError | Unavailable,
) -> Sequence[Failure | None]:
    """Send a refused batch's entries one by one; a refused single is its own fault's Failure.

    An error that is in no list may be one entry's as well. Raises Unavailable for any other that
    says nothing against the entries.
    """
    if isinstance(error, Unavailable) and not error.is_unknown:
        raise error
    if len(records) > 1:
        return [_alone(record, publish) for record in records]
    if isinstance(error, Unavailable):
        return [Failure(error.reason, str(error), permanent=False)]
    code, message = error_code(error), error.response.get("Error", {}).get("Message", "")
    return [Failure(code, message, is_the_entrys_fault(code))]


def _alone(
    record: OutboxRecord, publish: Callable[[Sequence[OutboxRecord]], Sequence[Failure | None]]
) -> Failure | None:
    """An outage here is this entry's alone: others of its batch may have been accepted by now."""
    try:
        (failure,) = publish([record])
    except Unavailable as error:
        return Failure(error.reason, str(error), permanent=False)
    return failure
