"""Reads the taps: a thread for each, and one that decides how much they let through."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from console.live.observing import Observer
from console.live.sampling import TOO_LATE, Sampler
from console.live.taps import ConsoleTap
from runtime.aws import asking
from runtime.errors import Unavailable
from runtime.process.shutdown import Stop, unless_stopped
from runtime.retry import backoff
from runtime.sqs.queue import MAX_BATCH, delete_batch

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

log = structlog.get_logger(__name__)

RECENT = 3
"""Seconds over which it is counted how much the buses carry."""

RULES_CHECK_INTERVAL = 15.0
"""Seconds until it is looked whether the rules are still there."""

KEEPS_EVERY = 600.0
"""Seconds between two signs of life on a tap's queue: some fit into taps.ABANDONED_AFTER."""

QUIET_SECONDS = 2.0
"""Seconds without a message after which a tap is not behind, whatever its last message was."""


@dataclass
class TapReader:
    """Moves one tap's messages to the observer; any thread may ask it how it is."""

    tap: ConsoleTap
    observer: Observer
    sampler: Sampler
    stop: Stop
    url: str | None = None
    why_not: str | None = "it has yet to start"
    _behind: float = field(default=0.0, repr=False)
    _received_at: float = field(default=0.0, repr=False)
    _keep_at: float = field(default=0.0, repr=False)

    @property
    def behind(self) -> float:
        """Seconds from a message's arrival in the queue to its being read."""
        return self._behind if monotonic() - self._received_at < QUIET_SECONDS else 0.0

    def run(self) -> None:
        """Read until a stop is requested; an outage is waited out."""
        failures = 0
        while not self.stop.requested:
            try:
                if self.url is None:
                    self.url = self.tap.make(self.sampler.every_nth)
                    log.info("tapping", bus=self.tap.bus, queue=self.tap.queue.name)
                    self.why_not = None
                if monotonic() >= self._keep_at:
                    self._keep(self.url)
                self._take(self._poll(self.url), self.url)
                failures = 0
            except Unavailable as error:
                failures += 1
                self.url, self.why_not = None, str(error)
                log.warning("waiting", bus=self.tap.bus, reason=str(error))
                self.stop.wait(backoff(failures, first=0.25, longest=10))
            except Exception as error:  # whatever it was, the console goes on looking
                failures += 1
                self.url, self.why_not = None, f"{type(error).__name__}: {error}"
                log.exception("a tap failed", bus=self.tap.bus)
                self.stop.wait(backoff(failures, first=1, longest=30))

    def _keep(self, url: str) -> None:
        """Whatever comes of it, the tap works."""
        self._keep_at = monotonic() + KEEPS_EVERY
        try:
            for queue in self.tap.keep(url, datetime.now(UTC)):
                log.info("removed the tap of a console that is gone", queue=queue)
        except Unavailable as error:
            log.warning("taps that were left behind stay", bus=self.tap.bus, reason=str(error))

    def _poll(self, url: str) -> "list[MessageTypeDef]":
        """Receive in a thread that a stop abandons: a long poll cannot be cut short."""
        name = f"poll of {self.tap.bus}"
        return unless_stopped(self.stop, lambda: self._receive(url), thread=name) or []

    def _receive(self, url: str) -> "list[MessageTypeDef]":
        with asking("SQS"):
            return self.tap.sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=MAX_BATCH,
                WaitTimeSeconds=10,
                MessageSystemAttributeNames=["SentTimestamp"],
            ).get("Messages", [])

    def _take(self, messages: "list[MessageTypeDef]", url: str) -> None:
        if not messages:
            return
        now = datetime.now(UTC)
        every_nth = self.sampler.every_nth
        late = 0
        for message in messages:
            at = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
            self._behind = max(0.0, (now - at).total_seconds())
            if self._behind > TOO_LATE:
                late += 1
            else:
                self.observer.observe(self.tap.bus, message["Body"], at, every_nth)
        self._received_at = monotonic()
        if late:
            self.observer.discard(late)
        delete_batch(self.tap.sqs, url, [message["ReceiptHandle"] for message in messages])


class Tapping:
    """All the readers."""

    def __init__(self, taps: Sequence[ConsoleTap], observer: Observer, stop: Stop) -> None:
        self.sampler = Sampler()
        self._observer, self._stop = observer, stop
        self.readers = [TapReader(tap, observer, self.sampler, stop) for tap in taps]
        self._threads = [
            *(Thread(target=r.run, name=f"tap of {r.tap.bus}", daemon=True) for r in self.readers),
            Thread(target=self._adjust, name="sampling", daemon=True),
        ]

    def start(self) -> None:
        for each in self._threads:
            each.start()

    def end(self) -> None:
        """Take the taps away, after a stop was requested; what cannot be reached stays."""
        for each in self._threads:
            each.join(1.0)
        with ThreadPoolExecutor(len(self.readers)) as pool:
            pool.map(_remove, [reader.tap for reader in self.readers])

    @property
    def behind(self) -> float:
        return max((each.behind for each in self.readers), default=0.0)

    @property
    def trouble(self) -> str | None:
        return next((each.why_not for each in self.readers if each.why_not), None)

    def _adjust(self) -> None:
        looked = monotonic()
        while not self._stop.wait(1.0):
            before = self.sampler.every_nth
            rate = max(self._observer.bus_rates.per_second(RECENT).values(), default=0.0)
            behind = self.behind
            after = self.sampler.decide(rate, behind, monotonic())
            look = monotonic() - looked > RULES_CHECK_INTERVAL
            looked = monotonic() if look else looked
            for reader in self.readers:
                try:
                    if after != before:
                        reader.tap.let_through(after)
                        log.info("sampling", bus=reader.tap.bus, everyNth=after, rate=round(rate))
                    # What came before it was narrowed would take as long to read as it did to come.
                    if reader.url and (
                        reader.behind > TOO_LATE or (after > before and reader.behind > 1)
                    ):
                        self._observer.discard(reader.tap.throw_away(reader.url))
                    if look and reader.url and not reader.tap.is_there():
                        reader.url = reader.tap.make(after)
                except Unavailable as error:
                    log.warning("a tap is as it was", bus=reader.tap.bus, reason=str(error))


def _remove(tap: ConsoleTap) -> None:
    try:
        tap.remove()
    except Unavailable as error:
        log.warning(
            "a tap stays until a console starts here again",
            bus=tap.bus,
            queue=tap.queue.name,
            reason=str(error),
        )
