"""Load: customers who subscribe, cancel and read, and ask again until they have an answer."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from uuid import UUID

import httpx

from runtime.process.shutdown import Stop
from verification.chaos.ledger import Ledger, Promise
from verification.testkit.orders import ORDER

ANSWER_WITHIN = 15.0
"""Seconds that a client waits for one answer before it asks again."""

ASK_AGAIN_AFTER = 0.5

RETRIED_STATUSES = {httpx.codes.SERVICE_UNAVAILABLE}
"""Answers that ask for patience. Any other failure but a lost connection breaks a promise."""


@dataclass(frozen=True)
class ClientLoad:
    """`subscribers` threads wait `pause` seconds (on average) between two subscriptions.

    `cancelled` is the share of payments that are cancelled.
    """

    subscribers: int = 3
    pause: float = 0.6
    cancelled: float = 0.3
    cancellers: int = 2


@dataclass(frozen=True)
class Cancellation:
    """A PATCH that is due, `at` a time of the monotonic clock."""

    subscription_id: str
    at: float
    tries: int = 0


class Clients:
    """Threads that put load on the three APIs; what they were promised is in the ledger."""

    def __init__(
        self, addresses: dict[str, str], ledger: Ledger, *, seed: int, load: ClientLoad
    ) -> None:
        self._addresses, self._ledger, self._load = addresses, ledger, load
        self._seed = seed
        self._stop = Stop()
        self._all_begun = Stop()  # no cancellation will be added any more
        self._given_up = Stop()
        self._due: SimpleQueue[Cancellation] = SimpleQueue()
        self._waiting = 0  # cancellations that were not answered yet
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    @contextmanager
    def running(self) -> Iterator["Clients"]:
        """Put load on until the block ends, without waiting: see `finish`."""
        works = [
            *((self._subscribe_on, n) for n in range(self._load.subscribers)),
            *((self._cancel_on, n) for n in range(self._load.cancellers)),
            (self._read_on, 0),
        ]
        self._threads = [
            threading.Thread(
                target=self._supervised, args=(work, n), name=f"client-{work.__name__}-{n}"
            )
            for work, n in works
        ]
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.request()
            self._all_begun.request()
            self._given_up.request()
            for thread in self._threads:
                thread.join()

    def begin_no_more(self) -> None:
        """Subscribe and read no more; what was begun goes on."""
        self._stop.request()

    def finish(self, *, within: float) -> int:
        """Bring to its end what was begun.

        Returns how many requests were not answered `within` seconds.
        """
        self.begin_no_more()
        deadline = time.monotonic() + within
        subscribers, others = (
            self._threads[: self._load.subscribers],
            self._threads[self._load.subscribers :],
        )
        _join(subscribers, deadline)
        self._all_begun.request()
        _join(others, deadline)
        self._given_up.request()
        return self._waiting + sum(thread.is_alive() for thread in subscribers)

    def _http(self) -> httpx.Client:
        return httpx.Client(timeout=ANSWER_WITHIN, trust_env=False)

    def _supervised(self, work: Callable[[int], None], number: int) -> None:
        """Work, and report what ends it: a client that is gone would report nothing."""
        try:
            work(number)
        except Exception as error:  # noqa: BLE001 (an unreadable answer, of whatever kind)
            self._ledger.report_broken(f"{threading.current_thread().name} gave up: {error!r}")

    def _subscribe_on(self, number: int) -> None:
        chosen = random.Random(f"{self._seed}/subscriber/{number}")  # noqa: S311 (not secret)
        with self._http() as http:
            while not self._stop.wait(chosen.uniform(0, 2 * self._load.pause)):
                promise = self._subscribe(http, chosen)
                if promise and chosen.random() < self._load.cancelled:
                    with self._lock:
                        self._waiting += 1
                    # At once (it may come before the payment does), or after a while.
                    at = time.monotonic() + chosen.choice((0, 0.3, 5))
                    self._due.put(Cancellation(promise.subscription_id, at))

    def _subscribe(self, http: httpx.Client, chosen: random.Random) -> Promise | None:
        """Ask with one key until there is an answer; None if it was given up."""
        key = str(UUID(int=chosen.getrandbits(128), version=4))
        account, quantity = f"{chosen.randrange(10**8):08}", chosen.randint(1, 10)
        order: dict[str, object] = {**ORDER, "accountNumber": account, "quantity": quantity}
        again = False
        while not self._given_up.requested:
            self._ledger.sent("POST /subscriptions", again=again)
            answer = _answer(
                http,
                "POST",
                f"{self._addresses['subscription']}/subscriptions",
                json=order,
                headers={"Idempotency-Key": key},
            )
            if answer is not None and answer.status_code == httpx.codes.CREATED:
                promise = Promise(answer.json()["subscriptionId"], quantity, account)
                self._ledger.promised(promise)
                return promise
            self._judge(answer, "POST /subscriptions")
            again = True
            self._given_up.wait(ASK_AGAIN_AFTER)
        return None

    def _cancel_on(self, _: int) -> None:
        with self._http() as http:
            while not self._given_up.requested:
                try:
                    cancellation = self._due.get(timeout=0.2)
                except Empty:
                    if self._all_begun.requested and not self._waiting:
                        return
                    continue
                if cancellation.at > time.monotonic():
                    self._due.put(cancellation)
                    self._given_up.wait(0.05)
                elif not self._cancel(http, cancellation):
                    at = time.monotonic() + ASK_AGAIN_AFTER
                    tries = cancellation.tries + 1
                    self._due.put(Cancellation(cancellation.subscription_id, at, tries))

    def _cancel(self, http: httpx.Client, cancellation: Cancellation) -> bool:
        """Ask once; True if it was answered. A payment may not be there yet."""
        subscription_id = cancellation.subscription_id
        self._ledger.sent("PATCH /payments/{id}", again=cancellation.tries > 0)
        answer = _answer(
            http,
            "PATCH",
            f"{self._addresses['payment']}/payments/{subscription_id}",
            json={"status": "cancelled"},
        )
        if answer is not None and answer.status_code == httpx.codes.OK:
            self._ledger.cancelled(subscription_id)
            with self._lock:
                self._waiting -= 1
            return True
        if answer is None or answer.status_code != httpx.codes.NOT_FOUND:
            self._judge(answer, "PATCH /payments/{id}")
        return False

    def _read_on(self, number: int) -> None:
        """Read what was promised: it is there at once, and a cancelled payment stays cancelled."""
        chosen = random.Random(f"{self._seed}/reader/{number}")  # noqa: S311 (not secret)
        with self._http() as http:
            while not self._stop.wait(0.2):
                promises = list(self._ledger)
                if promises:
                    self._read(http, chosen.choice(promises))

    def _read(self, http: httpx.Client, promise: Promise) -> None:
        one = promise.subscription_id
        self._ledger.sent("GET /subscriptions/{id}")
        answer = _answer(http, "GET", f"{self._addresses['subscription']}/subscriptions/{one}")
        if answer is not None and answer.status_code != httpx.codes.OK:
            self._judge(answer, f"GET /subscriptions/{one}")
        if promise.cancelled:
            self._ledger.sent("GET /payments/{id}")
            answer = _answer(http, "GET", f"{self._addresses['payment']}/payments/{one}")
            if answer is not None and answer.status_code != httpx.codes.OK:
                self._judge(answer, f"GET /payments/{one}")
            elif answer is not None and answer.json()["status"] != "cancelled":
                self._ledger.report_broken(f"payment {one} was cancelled, and is {answer.json()}")

    def _judge(self, answer: httpx.Response | None, request: str) -> None:
        """Report an answer that neither keeps the promise nor asks for patience."""
        if answer is not None and answer.status_code not in RETRIED_STATUSES:
            self._ledger.report_broken(
                f"{request} answered {answer.status_code}: {answer.text[:200]}"
            )


def _join(threads: Iterable[threading.Thread], deadline: float) -> None:
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))


def _answer(
    http: httpx.Client,
    method: str,
    url: str,
    *,
    json: dict[str, object] | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response | None:
    """Send one request; None if no answer came."""
    try:
        return http.request(method, url, json=json, headers=headers)
    except httpx.TransportError:
        return None
