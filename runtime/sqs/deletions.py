"""Deletes handled messages in batches: each call costs time here, and money at AWS."""

import threading
import time
from collections.abc import Callable
from queue import Queue
from typing import TYPE_CHECKING, Self

import structlog

from runtime.aws import answered_within
from runtime.congestion import LONGEST_TIMEOUT, CallResult, CongestionControl
from runtime.errors import Unavailable
from runtime.retry import backoff
from runtime.sqs.queue import (
    BATCH_LINGER_SECONDS,
    FIRST_ANSWER_WITHIN,
    MAX_BATCH,
    delete_batch,
)

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

log = structlog.get_logger(__name__)

DELETE_TRIES = 3
"""How often a receipt handle is tried. A message that stays comes, and is handled, again."""

MOST_WAITING = 100
"""Handled messages that wait to be deleted; past these, the threads that handle wait too."""


class Deletions:
    """A thread that deletes receipt handles from one queue, up to ten a call; fewer if it is slow.

    `wait` is how it waits, in seconds: between tries, and `linger` for a fuller call, since busy
    threads end one by one.
    """

    def __init__(
        self,
        sqs: "SQSClient",
        url: str,
        *,
        wait: Callable[[float], object] = time.sleep,
        linger: float = BATCH_LINGER_SECONDS,
    ) -> None:
        self._sqs, self._url, self._wait, self._linger = sqs, url, wait, linger
        self._handles: Queue[str | None] = Queue(MOST_WAITING)
        self._congestion = CongestionControl(
            1, MAX_BATCH, longest_pause=0.0, first_timeout=FIRST_ANSWER_WITHIN
        )

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="deletions", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Delete what has been added, then end."""
        self._handles.put(None)
        self._thread.join()

    def add(self, receipt_handle: str) -> None:
        """Have a message deleted, soon; waits while MOST_WAITING are before it."""
        self._handles.put(receipt_handle)

    @property
    def pending(self) -> bool:
        """Whether a handle waits for its call."""
        return not self._handles.empty()

    def delete_next(self) -> bool:
        """Wait for handles and delete a batch of them; False when the last have been added."""
        batch = [self._handles.get()]
        while len(batch) < self._congestion.batch and self.pending:
            batch.append(self._handles.get())
        handles = [handle for handle in batch if handle is not None]
        if handles:
            try:
                self._delete(handles)
            except Exception:
                # Whatever it is, the thread has to live: without it the consumer stops.
                log.exception("handled messages were not deleted and will come again")
        return None not in batch

    def _run(self) -> None:
        while self.delete_next():
            if self._handles.qsize() < MAX_BATCH:
                self._wait(self._linger)

    def _delete(self, handles: list[str]) -> None:
        lost = 0
        for attempt in range(1, DELETE_TRIES + 1):
            call = self._congestion.begin()
            result = CallResult.PASSED
            try:
                with answered_within(min(self._congestion.timeout(lost), LONGEST_TIMEOUT)):
                    failed = delete_batch(self._sqs, self._url, handles)
                handles = [handles[index] for index in failed]
            except Unavailable as error:
                result = CallResult.of(error)
                lost += error.is_lost
                log.warning("delete failed", reason=str(error), attempt=attempt)
            finally:
                if call is not None:
                    self._congestion.end(call, result)
            if not handles:
                return
            if attempt < DELETE_TRIES:
                self._wait(backoff(attempt, first=0.1, longest=1))
        log.warning("handled messages were not deleted and will come again", count=len(handles))
