"""Load: customers who subscribe, cancel and read, and ask again until they have an answer."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from uuid import UUID

import httpx

from local.journey import DEMO_ORDER as ORDER
from runtime.process.shutdown import Stop
from verification.chaos.ledger import CancelledBy, Ledger, Promise
from verification.testkit.waiting import wait_until

ANSWER_WITHIN = 15.0
"""Seconds that a client waits for one answer before it asks again."""

ASK_AGAIN_AFTER = 0.5

RETRIED_STATUSES = frozenset({httpx.codes.SERVICE_UNAVAILABLE})
"""Answers that ask for patience. Any other failure but a lost connection breaks a promise."""


@dataclass(frozen=True)
class ClientLoad:
    """`subscribers` threads wait `pause` seconds (on average) between two subscriptions.

    `cancelled` is the share of subscriptions that are cancelled, `by_bank` the share of these that
    the bank cancels; their customers cancel the others.
    """

    subscribers: int = 3
    pause: float = 0.6
    cancelled: float = 0.3
    by_bank: float = 0.5
    cancellers: int = 2


@dataclass(frozen=True)
class Cancellation:
    """A request that is due, `at` a time of the monotonic clock."""

    subscription_id: str
    by: CancelledBy
    at: float
    again: bool = False


class Clients:
    """Threads that put load on the three APIs; what they were promised is in the ledger."""

    def __init__(
        self,
        addresses: dict[str, str],
        ledger: Ledger,
        *,
        seed: int,
        load: ClientLoad,
        auth: httpx.Auth | None = None,
    ) -> None:
        self._addresses, self._ledger, self._load = addresses, ledger, load
        self._seed = seed
        self._http = httpx.Client(auth=auth, timeout=ANSWER_WITHIN, trust_env=False)
        self._stop = Stop()
        self._given_up = Stop()
        self._due: SimpleQueue[Cancellation] = SimpleQueue()
        self._open: set[int | str] = set()  # subscribers at work, subscriptions to be cancelled

    @contextmanager
    def running(self) -> Iterator["Clients"]:
        """Put load on until the block ends, without waiting: see `finish`."""
        works = [
            *((self._subscribe_on, n) for n in range(self._load.subscribers)),
            *((self._cancel_on, n) for n in range(self._load.cancellers)),
            (self._read_on, 0),
        ]
        with self._http, ThreadPoolExecutor(len(works)) as pool:
            try:
                for work, number in works:
                    pool.submit(self._supervised, work, number)
                yield self
            finally:
                self._stop.request()
                self._given_up.request()

    def begin_no_more(self) -> None:
        """Subscribe and read no more; what was begun goes on."""
        self._stop.request()

    def finish(self, *, within: float) -> int:
        """Bring to its end what was begun.

        Returns how many requests were not answered `within` seconds.
        """
        self.begin_no_more()  # a subscriber is open before it looks whether it may begin
        wait_until(lambda: not self._open, within=within)
        unanswered = len(self._open)
        self._given_up.request()
        return unanswered

    def _supervised(self, work: Callable[[int], None], number: int) -> None:
        """Work, and report what ends it: a client that is gone would report nothing."""
        try:
            work(number)
        except Exception as error:  # noqa: BLE001 (an unreadable answer, of whatever kind)
            self._ledger.report_broken(f"client-{work.__name__}-{number} gave up: {error!r}")

    def _subscribe_on(self, number: int) -> None:
        chosen = random.Random(f"{self._seed}/subscriber/{number}")  # noqa: S311 (not secret)
        while not self._stop.wait(chosen.uniform(0, 2 * self._load.pause)):
            self._open.add(number)
            try:
                promise = None if self._stop.requested else self._subscribe(chosen)
                if promise and chosen.random() < self._load.cancelled:
                    # At once (it may come before the payment does), or after a while.
                    at = time.monotonic() + chosen.choice((0, 0.3, 5))
                    by: CancelledBy = "bank" if chosen.random() < self._load.by_bank else "customer"
                    self._open.add(promise.subscription_id)
                    self._due.put(Cancellation(promise.subscription_id, by, at))
            finally:
                self._open.discard(number)

    def _subscribe(self, chosen: random.Random) -> Promise | None:
        """Ask with one key until there is an answer; None if it was given up."""
        key = str(UUID(int=chosen.getrandbits(128), version=4))
        account, quantity = f"{chosen.randrange(10**8):08}", chosen.randint(1, 10)
        order: dict[str, object] = {**ORDER, "accountNumber": account, "quantity": quantity}
        again = False
        while not self._given_up.requested:
            answer = self._ask(
                "POST /subscriptions",
                json=order,
                headers={"Idempotency-Key": key},
                again=again,
                success=httpx.codes.CREATED,
            )
            if answer is not None:
                promise = Promise(answer.json()["subscriptionId"], quantity, account)
                self._ledger.promised(promise)
                return promise
            again = True
            self._given_up.wait(ASK_AGAIN_AFTER)
        return None

    def _cancel_on(self, _: int) -> None:
        while not self._given_up.requested:
            try:
                due = self._due.get(timeout=0.2)
            except Empty:
                continue
            if due.at > time.monotonic():
                self._due.put(due)
                self._given_up.wait(0.05)
            elif self._cancel(due):
                self._ledger.cancelled(due.subscription_id, due.by)
                self._open.discard(due.subscription_id)
            else:
                self._due.put(replace(due, at=time.monotonic() + ASK_AGAIN_AFTER, again=True))

    def _cancel(self, due: Cancellation) -> bool:
        """Ask once; True if it was answered. A payment may not be there yet."""
        of_the_bank: bool = due.by == "bank"
        answer = self._ask(
            "PATCH /payments/{id}" if of_the_bank else "POST /subscriptions/{id}/cancellation",
            due.subscription_id,
            json={"status": "cancelled"} if of_the_bank else {"reason": "other"},
            again=due.again,
            patience=RETRIED_STATUSES | ({httpx.codes.NOT_FOUND} if of_the_bank else set()),
        )
        return answer is not None

    def _read_on(self, number: int) -> None:
        """Read what was promised: it is there at once, and what was cancelled stays cancelled."""
        chosen = random.Random(f"{self._seed}/reader/{number}")  # noqa: S311 (not secret)
        while not self._stop.wait(0.2):
            if promises := list(self._ledger):
                self._read(chosen.choice(promises))

    def _read(self, promise: Promise) -> None:
        one = promise.subscription_id
        answers = {"customer": self._ask("GET /subscriptions/{id}", one)}
        if promise.cancelled_by == "bank":
            answers["bank"] = self._ask("GET /payments/{id}", one)
        answer = answers.get(promise.cancelled_by or "")
        if answer is not None and answer.json()["status"] != "cancelled":
            self._ledger.report_broken(f"{one} was cancelled, and is {answer.json()}")

    def _ask(
        self,
        request: str,
        subscription_id: str = "",
        *,
        json: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        again: bool = False,
        success: int = httpx.codes.OK,
        patience: frozenset[int] = RETRIED_STATUSES,
    ) -> httpx.Response | None:
        """Send one request; its answer where that is a success, None where none came, or another.

        One that asks for no `patience` either breaks a promise, and is reported.
        """
        self._ledger.sent(request, again=again)
        method, path = request.replace("{id}", subscription_id).split()
        service = path.split("/")[1].removesuffix("s")
        try:
            answer = self._http.request(
                method, f"{self._addresses[service]}{path}", json=json, headers=headers
            )
        except httpx.TransportError:
            return None
        if answer.status_code == success:
            return answer
        if answer.status_code not in patience:
            self._ledger.report_broken(
                f"{method} {path} answered {answer.status_code}: {answer.text[:200]}"
            )
        return None
