"""One try at deleting rows whose events are in durable hands."""

from collections.abc import Sequence

import structlog

from runtime.errors import Unavailable
from runtime.outbox.ports import Outbox
from runtime.outbox.rows import Row

log = structlog.get_logger(__name__)


def clear(outbox: Outbox, rows: Sequence[Row]) -> Sequence[Row]:
    """Delete at most `max_deletes` rows, once; returns those that are still there.

    Never raises: a deleter that dies of an error would leave a window full for good, and a batch
    that is reported for one would be published again. It is logged.
    """
    try:
        return outbox.delete(rows)
    except Unavailable as error:
        log.warning("delete failed", reason=str(error), count=len(rows))
    except Exception:
        log.exception("delete failed", count=len(rows))
    return rows
