"""One queue's messages, received and each brought to its end, by whichever thread has it."""

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

import structlog

from runtime.aws import asking, reaching
from runtime.errors import Unavailable
from runtime.metrics import ConsumerMetrics
from runtime.passed import Passed
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.retry import BackOff, DeadLetter, Hold, Strikes, Verdict, backoff, decide
from runtime.sqs.queue import Queue, dead_letter, receive_count

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

log = structlog.get_logger(__name__)


class Work(Protocol):
    """What a consumer does with a body, and which of its errors no retry can mend."""

    def handle(self, body: str, /) -> None: ...

    def is_permanent(self, error: Exception, /) -> bool: ...


def _nothing() -> None:
    """Nobody waits for this thread."""


class Messages:
    """Receives messages and settles each: handled, dead-lettered, or back in the queue.

    Two calls to it never wait for one another: it holds nothing but its queue, its work, and what
    has passed for other messages.
    """

    def __init__(
        self,
        sqs: "SQSClient",
        queue: Queue,
        work: Work,
        *,
        stop: Stop,
        metrics: ConsumerMetrics,
        readiness: Readiness,
        wait_seconds: int,
    ) -> None:
        self._sqs, self._queue, self._work = sqs, queue, work
        self._stop, self._metrics, self._readiness = stop, metrics, readiness
        self._wait_seconds = wait_seconds
        self._passed = Passed()

    def receive(self, most: int) -> "list[MessageTypeDef]":
        """Wait for messages and receive up to `most`; after a while, or an outage, none."""
        try:
            with asking("SQS"):
                messages = self._sqs.receive_message(
                    QueueUrl=self._queue.url,
                    MaxNumberOfMessages=most,
                    WaitTimeSeconds=self._wait_seconds,
                    MessageSystemAttributeNames=["ApproximateReceiveCount"],
                ).get("Messages", [])
        except Unavailable as error:
            log.warning("receive failed", queue=self._queue.name, reason=str(error))
            self._readiness.down(self._queue.name, str(error))
            self._stop.wait(backoff(1, first=1))
            return []
        self._readiness.up(self._queue.name)
        return messages

    def settle(self, message: "MessageTypeDef", make_room: Callable[[], object] = _nothing) -> bool:
        """Bring one message to its end, however long that takes; whether it may be deleted.

        `make_room` is called when the message is held for an error that perhaps it alone meets:
        another one is to be handled beside it, and shows by that whose fault it is.
        """
        started = perf_counter()
        self._metrics.begun(self._queue.name)
        with structlog.contextvars.bound_contextvars(
            queue=self._queue.name, messageId=message["MessageId"]
        ):
            try:
                outcome = self._settle(message, make_room)
            except Exception:
                # Not even the verdict could be carried out: the message stays and comes again.
                log.exception("message left in the queue")
                outcome = "failed"
        self._metrics.done(self._queue.name, outcome, perf_counter() - started)
        return outcome in {"handled", "dead-lettered"}

    def _settle(self, message: "MessageTypeDef", make_room: Callable[[], object]) -> str:
        attempt = 0
        strikes = Strikes()
        while True:
            attempt += 1
            try:
                with self._passed.noting():
                    self._work.handle(message["Body"])
            except Exception as error:
                self._count(error, strikes)
                verdict = self._judge(error, message, attempt, strikes=strikes.total)
                match verdict:
                    case DeadLetter():
                        dead_letter(
                            self._sqs,
                            self._queue.dead_letter_url,
                            message["Body"],
                            error,
                            receives=receive_count(message),
                        )
                        log.exception(
                            "dead-lettered", deadLetterQueue=self._queue.dead_letter_queue
                        )
                        return "dead-lettered"
                    case BackOff(delay):
                        log.exception("failed, backing off", seconds=round(delay, 1))
                        self._show_again_in(message, delay)
                        return "backed-off"
                    case Hold(delay):
                        log.warning("held", reason=str(error), seconds=round(delay, 1))
                        self._readiness.down(self._queue.name, str(error))
                        if isinstance(error, Unavailable) and error.is_unknown:
                            make_room()
                        self._show_again_in(message, delay + self._queue.visibility_timeout)
                        if self._stop.wait(delay):
                            # Not sooner than our last poll ends, which would receive it again.
                            self._show_again_in(message, self._wait_seconds)
                            return "released"
            else:
                self._readiness.up(self._queue.name)
                return "handled"

    def _count(self, error: Exception, strikes: Strikes) -> None:
        if isinstance(error, Unavailable) and error.is_unknown:
            call = error.dependency, error.call
            strikes.count(call, self._passed.count(call))

    def _judge(
        self, error: Exception, message: "MessageTypeDef", attempt: int, *, strikes: int
    ) -> Verdict:
        return decide(
            error,
            attempt=attempt,
            strikes=strikes,
            receives=receive_count(message),
            max_receives=self._queue.max_receives,
            is_permanent=self._work.is_permanent,
        )

    def _show_again_in(self, message: "MessageTypeDef", seconds: float) -> None:
        """Set when the message is seen again; where that fails, the queue's own timeout holds."""
        try:
            with reaching("SQS"):
                self._sqs.change_message_visibility(
                    QueueUrl=self._queue.url,
                    ReceiptHandle=message["ReceiptHandle"],
                    VisibilityTimeout=round(seconds),
                )
        except Exception as error:  # noqa: BLE001 (the message comes again either way)
            log.warning("visibility not changed", reason=str(error))
