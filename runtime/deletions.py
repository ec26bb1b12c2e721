"""Deletes handled messages in batches: what has gathered while the last batch was on its way."""

import queue
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

import structlog

from runtime.errors import Unavailable
from runtime.queues import MAX_BATCH, delete_batch
from runtime.retry import backoff

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

log = structlog.get_logger(__name__)

TRIES = 3
"""How often a receipt handle is tried. A message that stays comes, and is handled, again."""


class Deletions:
    """A thread that deletes receipt handles from one queue, up to ten a call.

    `deleted` is called with the number of handles done with, whether or not the queue took them.
    `wait` is how it waits between tries, in seconds.
    """

    def __init__(
        self,
        sqs: "SQSClient",
        url: str,
        deleted: Callable[[int], None],
        *,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._sqs, self._url, self._deleted, self._wait = sqs, url, deleted, wait
        self._handles: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="deletions", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Delete what has been added, then end."""
        self._handles.put(None)
        self._thread.join()

    def add(self, receipt_handle: str) -> None:
        self._handles.put(receipt_handle)

    def delete_next(self) -> bool:
        """Wait for handles and delete a batch of them; False when the last have been added."""
        batch = [self._handles.get()]
        while len(batch) < MAX_BATCH and not self._handles.empty():
            batch.append(self._handles.get())
        handles = [handle for handle in batch if handle is not None]
        if handles:
            try:
                self._delete(handles)
            except Exception:
                # Whatever it is, the thread has to live: the consumer waits for its handles.
                log.exception("handled messages were not deleted and will come again")
            finally:
                self._deleted(len(handles))
        return None not in batch

    def _run(self) -> None:
        while self.delete_next():
            pass

    def _delete(self, handles: list[str]) -> None:
        for attempt in range(1, TRIES + 1):
            try:
                handles = [handles[i] for i in delete_batch(self._sqs, self._url, handles)]
            except Unavailable as error:
                log.warning("delete failed", reason=str(error), attempt=attempt)
            if not handles:
                return
            if attempt < TRIES:
                self._wait(backoff(attempt, first=0.1, longest=1))
        log.warning("handled messages were not deleted and will come again", count=len(handles))
