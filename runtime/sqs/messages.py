"""One queue's messages: received, and each brought to its end by the thread that has it."""

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

import structlog

from runtime.aws import asking, reaching
from runtime.errors import Unavailable
from runtime.metrics import ConsumerMetrics
from runtime.passed import Passed
from runtime.process.health import Readiness
from runtime.process.shutdown import Stop
from runtime.retry import BackOff, Decision, Hold, MoveToDeadLetters, Strikes, backoff, decide
from runtime.sqs.handler import Handler
from runtime.sqs.queue import SourceQueue, dead_letter, receive_count

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

log = structlog.get_logger(__name__)


def _keep_place() -> None:
    """Make no room: no other message waits for this thread."""


class Messages:
    """Receives messages and settles each: handled, dead-lettered, or back in the queue.

    Two calls to it never wait for one another: it holds nothing but its queue, its handler, and
    what has passed for other messages.
    """

    def __init__(
        self,
        sqs: "SQSClient",
        queue: SourceQueue,
        handler: Handler,
        *,
        stop: Stop,
        metrics: ConsumerMetrics,
        readiness: Readiness,
        wait_seconds: int,
    ) -> None:
        self.sqs, self.queue, self.stop, self.readiness = sqs, queue, stop, readiness
        self._handler, self._metrics = handler, metrics
        self._wait_seconds = wait_seconds
        self._passed = Passed()

    def receive(self, most: int) -> "list[MessageTypeDef]":
        """Wait for messages and receive up to `most`; after a while, or an outage, none."""
        try:
            with asking("SQS"):
                messages = self.sqs.receive_message(
                    QueueUrl=self.queue.url,
                    MaxNumberOfMessages=most,
                    WaitTimeSeconds=self._wait_seconds,
                    MessageSystemAttributeNames=["ApproximateReceiveCount"],
                ).get("Messages", [])
        except Unavailable as error:
            log.warning("receive failed", queue=self.queue.name, reason=str(error))
            self.readiness.down(self.queue.name, str(error))
            self.stop.wait(backoff(1, first=1))
            return []
        self.readiness.up(self.queue.name)
        return messages

    def settle(
        self, message: "MessageTypeDef", make_room: Callable[[], object] = _keep_place
    ) -> bool:
        """Bring one message to its end, however long that takes; whether it may be deleted.

        `make_room` is called when the message is held for an error that perhaps it alone meets:
        another one is to be handled beside it, and shows by that whose fault it is.
        """
        started = perf_counter()
        self._metrics.begun(self.queue.name)
        attempt, strikes, outcome = 0, Strikes(), ""
        with structlog.contextvars.bound_contextvars(
            queue=self.queue.name, messageId=message["MessageId"]
        ):
            while not outcome:
                attempt += 1
                try:
                    with self._passed.noting():
                        self._handler.handle(message["Body"])
                except Exception as error:  # noqa: BLE001 (what it means is decided there)
                    outcome = self._failed(error, message, attempt, strikes, make_room)
                else:
                    self.readiness.up(self.queue.name)
                    self._passed.overcame(strikes.calls)
                    outcome = "handled"
        self._metrics.done(self.queue.name, outcome, perf_counter() - started)
        return outcome in {"handled", "dead-lettered"}

    def _failed(
        self,
        error: Exception,
        message: "MessageTypeDef",
        attempt: int,
        strikes: Strikes,
        make_room: Callable[[], object],
    ) -> str:
        """Do what is decided about a failed try; returns the message's outcome, "" for no end."""
        try:
            if isinstance(error, Unavailable) and error.is_unknown:
                call = error.dependency, error.call
                strikes.count(call, self._passed.count(call), self._passed.overcome(call))
            match self.decide(error, message, attempt, strikes=strikes.total):
                case MoveToDeadLetters():
                    return self._dead_letter(error, message)
                case BackOff(delay):
                    log.error("failed, backing off", seconds=round(delay, 1), exc_info=error)
                    self._show_again_in(message, delay)
                    return "backed-off"
                case Hold(delay):
                    return self._hold(error, message, delay, make_room)
        except Exception:
            # The decision could not be carried out: the message stays and comes again.
            log.exception("message left in the queue")
            return "failed"

    def decide(
        self, error: Exception, message: "MessageTypeDef", attempt: int, *, strikes: int
    ) -> Decision:
        """Say what is done about a failed try: as `runtime.retry` has it."""
        return decide(
            error,
            attempt=attempt,
            strikes=strikes,
            receives=receive_count(message),
            max_receives=self.queue.max_receives,
            is_permanent=self._handler.is_permanent,
        )

    def _dead_letter(self, error: Exception, message: "MessageTypeDef") -> str:
        dead_letter(
            self.sqs,
            self.queue.dead_letter_url,
            message["Body"],
            error,
            receives=receive_count(message),
        )
        log.error("dead-lettered", deadLetterQueue=self.queue.dead_letter_queue, exc_info=error)
        return "dead-lettered"

    def _hold(
        self,
        error: Exception,
        message: "MessageTypeDef",
        delay: float,
        make_room: Callable[[], object],
    ) -> str:
        """Keep the message, hidden from others, until it is to be tried again or a stop comes."""
        log.warning("held", reason=str(error), seconds=round(delay, 1))
        self.readiness.down(self.queue.name, str(error))
        if isinstance(error, Unavailable) and error.is_unknown:
            make_room()
        self._show_again_in(message, delay + self.queue.visibility_timeout)
        if not self.stop.wait(delay):
            return ""
        # Not sooner than our last poll ends, which would receive it again.
        self._show_again_in(message, self._wait_seconds)
        return "released"

    def _show_again_in(self, message: "MessageTypeDef", seconds: float) -> None:
        """Set when the message is seen again; where that fails, the queue's own timeout holds."""
        try:
            with reaching("SQS"):
                self.sqs.change_message_visibility(
                    QueueUrl=self.queue.url,
                    ReceiptHandle=message["ReceiptHandle"],
                    VisibilityTimeout=round(seconds),
                )
        except Exception as error:  # noqa: BLE001 (the message comes again either way)
            log.warning("visibility not changed", reason=str(error))
