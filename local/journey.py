"""One subscription followed through the whole system, as anyone outside could follow it.

It uses what a user has: the three HTTP APIs, and the log group of each bus.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from contracts.names import EventType
from infra.domains.payments import WEBHOOK_PATH
from infra.local_system.bank import CANCELLED_BY_PAYER, cancellation
from local.progress import SignsOfLife
from runtime.process.shutdown import Stop

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

JOURNEY_PATIENCE = 30.0
"""Seconds in which no hop arrives and none is seen in another state; under a second is usual."""

JOURNEY_POLL_INTERVAL = 0.02
"""Seconds between two looks at a hop, and a tenth of the time waited once that is more."""

LONGEST_POLL = 3.0

DEMO_ORDER = {
    "accountNumber": "12345678",
    "accountName": "Ada Lovelace",
    "accountSortCode": "12-34-56",
    "customerFirstName": "Ada",
    "customerSurname": "Lovelace",
    "quantity": 2,
}


class NotYetThere(Exception):
    """A hop that has not happened; the message says what was seen instead."""


class Stuck(Exception):
    """A hop that did not happen in time."""

    def __init__(self, hop: "JourneyHop", seen: str, within: float) -> None:
        super().__init__(
            f"stuck at “{hop.title}”: not within {within:g} s ({seen}); look at {hop.look_at}"
        )


@dataclass(frozen=True)
class JourneyHop:
    """Something that should happen; `observe` says what did, or raises NotYetThere."""

    title: str
    observe: Callable[[], str]
    look_at: str


@dataclass(frozen=True)
class Arrival:
    hop: JourneyHop
    what: str
    milliseconds: float
    """Since the request that set it off."""


@dataclass(frozen=True)
class Flow:
    """A request and what must follow from it, in any order."""

    title: str
    request: JourneyHop
    consequences: Sequence[JourneyHop]


def follow(flow: Flow, *, within: float = JOURNEY_PATIENCE) -> Iterator[Arrival]:
    """Send the request and yield each hop as it arrives, as long as there is progress.

    Raises Stuck, after `within` seconds without any, for the first hop, in the order of the flow,
    that did not arrive: it is the nearest to the cause.
    """
    started = time.monotonic()
    stop, progress = Stop(), SignsOfLife()

    def watch(hop: JourneyHop) -> Arrival:
        seen = "nothing was seen"
        while progress.silence() < within and not stop.requested:
            try:
                what = hop.observe()
            except (NotYetThere, httpx.TransportError) as reason:
                seen = str(reason) or type(reason).__name__
                progress.see(f"{hop.title}: {seen}")
                waited = (time.monotonic() - started) / 10
                stop.wait(min(max(JOURNEY_POLL_INTERVAL, waited), LONGEST_POLL))
            else:
                progress.sign()
                return Arrival(hop, what, (time.monotonic() - started) * 1000)
        raise Stuck(hop, seen, within)

    yield watch(flow.request)
    with ThreadPoolExecutor(max(1, len(flow.consequences))) as pool:
        try:
            watches = [pool.submit(watch, hop) for hop in flow.consequences]
            for done in as_completed(watches):
                if done.exception() is None:
                    yield done.result()
            for missing in watches:
                missing.result()
        finally:
            stop.request()


class Customer:
    """A customer who subscribes, watches, and cancels the direct debit at the bank.

    `secret` is what the bank signs with; a system of containers has one that we do not know.
    """

    def __init__(
        self,
        http: httpx.Client,
        logs: "CloudWatchLogsClient",
        addresses: dict[str, str],
        secret: str | None,
    ) -> None:
        self._http, self._logs, self._secret = http, logs, secret
        self._webhook = addresses["payment"] + WEBHOOK_PATH
        self._subscriptions = f"{addresses['subscription']}/subscriptions"
        self._stock = f"{addresses['stock']}/stock"
        self._payments = f"{addresses['payment']}/payments"
        self._id = ""
        self._since = int(time.time()) * 1000  # an event's time has whole seconds

    def subscribes(self) -> Flow:
        return Flow(
            "POST /subscriptions",
            JourneyHop("subscription created", self._subscribe, "subscription-api"),
            [
                JourneyHop(
                    "event logged",
                    lambda: self._logged(
                        "subscriptions-event-logs", EventType.SUBSCRIPTION_CREATED
                    ),
                    "subscriptions-relay and tap, the table subscriptions-outbox and the queue"
                    " subscriptions-dlq",
                ),
                JourneyHop(
                    "stock allocated",
                    lambda: self._reads(self._stock, "allocated"),
                    "stock-consumer, the queue stock-subscription-created and its dead-letter"
                    " queue subscriptions-created-dlq",
                ),
                JourneyHop(
                    "payment created",
                    lambda: self._reads(self._payments, "active"),
                    "payment-consumer, the queue payments-subscription-created and its"
                    " dead-letter queue create-payment-subscription-dlq",
                ),
            ],
        )

    def subscribes_in_vain(self) -> Flow:
        """Where too few razors are available."""
        subscribed = self.subscribes()
        return Flow(
            subscribed.title,
            subscribed.request,
            [
                subscribed.consequences[0],
                JourneyHop(
                    "stock rejected",
                    lambda: self._reads(self._stock, "rejected"),
                    "stock-consumer, the queue stock-subscription-created and its dead-letter"
                    " queue subscriptions-created-dlq",
                ),
                JourneyHop(
                    "subscription cancelled",
                    lambda: self._reads(self._subscriptions, "cancelled"),
                    "subscription-consumer, the queue subscriptions-stock-rejected and its"
                    " dead-letter queue",
                ),
                JourneyHop(
                    "payment cancelled",
                    lambda: self._reads(self._payments, "cancelled"),
                    "payment-consumer, the queue payments-subscription-cancelled and its"
                    " dead-letter queue",
                ),
            ],
        )

    def cancels_the_payment(self) -> Flow:
        return Flow(
            f"POST {WEBHOOK_PATH}",
            JourneyHop("payment cancelled", self._cancel, "payment-api"),
            [
                JourneyHop(
                    "event logged",
                    lambda: self._logged("payments-event-logs", EventType.PAYMENT_CANCELLED),
                    "payments-change-stream, payments-forward and tap, the collection outbox and"
                    " the queues payment-events.fifo and payment-events-dlq.fifo",
                ),
                JourneyHop(
                    "stock deallocated",
                    lambda: self._reads(self._stock, "deallocated"),
                    "stock-consumer, the queue stock-payment-cancelled and its dead-letter queue"
                    " payment-cancelled-dlq",
                ),
                JourneyHop(
                    "subscription cancelled",
                    lambda: self._reads(self._subscriptions, "cancelled"),
                    "subscription-consumer, the queue subscriptions-payment-cancelled and its"
                    " dead-letter queue cancel-subscription-dlq",
                ),
            ],
        )

    def _subscribe(self) -> str:
        # The key makes a second try safe where the first one's answer was lost.
        key = {"Idempotency-Key": f"demo-{self._since}"}
        answer = self._http.post(self._subscriptions, json=DEMO_ORDER, headers=key)
        self._id = _body(answer, httpx.codes.CREATED)["subscriptionId"]
        return f"201, {self._id}"

    def _cancel(self) -> str:
        """By the bank's callback; where that has another secret, or is not served, by PATCH."""
        if self._secret is not None:
            webhook = cancellation(self._secret, self._id)
            answer = self._http.post(self._webhook, content=webhook.body, headers=webhook.headers)
            if answer.status_code not in {httpx.codes.UNAUTHORIZED, httpx.codes.NOT_FOUND}:
                _expect(answer, httpx.codes.NO_CONTENT)
                return f"204, for the bank's reason {CANCELLED_BY_PAYER}"
        answer = self._http.patch(f"{self._payments}/{self._id}", json={"status": "cancelled"})
        return f"200, {_body(answer, httpx.codes.OK)['status']} by PATCH: the secret is not known"

    def _reads(self, collection: str, status: str) -> str:
        body = _body(self._http.get(f"{collection}/{self._id}"), httpx.codes.OK)
        if body["status"] != status:
            raise NotYetThere(f"{collection}/{self._id} is {body['status']}")
        return f"{status}{_more(body)}"

    def _logged(self, group: str, event_type: str) -> str:
        for event in self._events_in(group):
            if event["detail-type"] == event_type and event["detail"]["subscriptionId"] == self._id:
                return f"{event_type} in {group}"
        raise NotYetThere(f"no {event_type} of {self._id} in log group {group}")

    def _events_in(self, group: str) -> Iterator[Any]:
        """What was logged since the start with this subscription's id in it."""
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=self._since, filterPattern=f'"{self._id}"'
        )
        return (json.loads(line["message"]) for page in pages for line in page["events"])


def _more(body: Mapping[str, Any]) -> str:
    """What a row says beside its status, in words."""
    if body.get("asked") is not None:
        return f", {body['asked']} razors wanted and {body['available']} available"
    if "stock" in body:
        return f", {body['stock']} razors put aside"
    return f" by {body['cancelledBy']}: {body['reason']}" if body.get("cancelledBy") else ""


def _expect(answer: httpx.Response, expected: int) -> None:
    if answer.status_code != expected:
        raise NotYetThere(f"{answer.request.method} {answer.url} answered {answer.status_code}")


def _body(answer: httpx.Response, expected: int) -> dict[str, Any]:
    _expect(answer, expected)
    body: dict[str, Any] = answer.json()
    return body
