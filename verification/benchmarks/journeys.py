"""Customers who subscribe, and cancel later, and when each effect of that was committed.

They come at a rate that no answer slows down (an open loop). Effects are read from the consumers'
own logs, which costs the system nothing: a consumer writes "handled" as soon as its transaction is
through, with the correlation id of the request that began it all.
"""

import asyncio
import json
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import uuid4

import httpx

from contracts.names import EventType
from local.journey import DEMO_ORDER as ORDER
from runtime.http.middleware import CORRELATION_HEADER
from verification.benchmarks.pinning import loading
from verification.benchmarks.whole_system import WholeSystem
from verification.testkit.waiting import NotInTime, wait_until

CANCELS_AFTER = 2.0
"""Seconds between the two requests: the payment is there by then, unless there is a backlog."""

CANCEL_TRIES, TRY_AGAIN = 40, 0.25
"""Of a cancellation that is too early for its payment, and the seconds between them."""

MEASURED_EFFECTS: Mapping[str, tuple[str, EventType]] = {
    "allocated": ("stock-consumer", EventType.SUBSCRIPTION_CREATED),
    "paid": ("payment-consumer", EventType.SUBSCRIPTION_CREATED),
    "given back": ("stock-consumer", EventType.PAYMENT_CANCELLED),
    "cancelled": ("subscription-consumer", EventType.PAYMENT_CANCELLED),
}
"""By effect: who has it, and what the event is that leads to it."""


class Travels:
    """When each request that led to something was sent, and when its effects came; epoch seconds.

    `sent` is by what the request led to, `came` by effect; both then by correlation id. `failed`
    names the requests that were refused.
    """

    def __init__(self, system: WholeSystem) -> None:
        self._logs = {name: system.processes[name].output for name, _ in MEASURED_EFFECTS.values()}
        self._read = dict.fromkeys(self._logs, 0)
        self.failed: list[str] = []
        self.sent: defaultdict[EventType, dict[str, float]] = defaultdict(dict)
        self.came: dict[str, dict[str, float]] = {effect: {} for effect in MEASURED_EFFECTS}

    def led_to(self, effect: str) -> Mapping[str, float]:
        """The requests that lead to an effect."""
        return self.sent[MEASURED_EFFECTS[effect][1]]

    def read(self) -> None:
        """Read on in the logs."""
        for name in self._logs:
            for line in self._new_lines(name):
                if '"handled"' in line:
                    self._note(name, json.loads(line))

    def wait(self, *, within: float) -> None:
        """Wait until every request has had its effects; raises NotInTime."""
        if not wait_until(self._is_settled, within=within, every=0.2):
            raise NotInTime(f"{self.missing} effects are missing")

    def _is_settled(self) -> bool:
        self.read()
        return not self.missing

    @property
    def missing(self) -> int:
        return sum(len(self.led_to(each).keys() - came.keys()) for each, came in self.came.items())

    def latencies(self) -> dict[str, list[float]]:
        """By effect, the seconds from each request to it."""
        return {
            effect: [came[name] - at for name, at in self.led_to(effect).items()]
            for effect, came in self.came.items()
        }

    def outstanding(self, moment: float) -> int:
        """Effects that were asked for before a moment and had not come by then."""
        return sum(
            at <= moment < came[name]
            for effect, came in self.came.items()
            for name, at in self.led_to(effect).items()
        )

    def _new_lines(self, name: str) -> Iterator[str]:
        with self._logs[name].open("rb") as log:
            log.seek(self._read[name])
            text = log.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read[name] += len(whole)
        yield from whole.decode().splitlines()

    def _note(self, name: str, said: Mapping[str, str]) -> None:
        for effect, key in MEASURED_EFFECTS.items():
            if key == (name, said["eventType"]):
                moment = datetime.fromisoformat(said["timestamp"]).timestamp()
                self.came[effect].setdefault(said["correlationId"], moment)


def travel(system: WholeSystem, *, rate: float, seconds: float, seed: int = 1) -> Travels:
    """Let customers come at random (Poisson) moments, `rate` a second, for `seconds`.

    Returns when the last has sent both requests.
    """
    with loading():
        return asyncio.run(_travel(system, rate, seconds, seed))


async def _travel(system: WholeSystem, rate: float, seconds: float, seed: int) -> Travels:
    chance = random.Random(seed)  # noqa: S311 (the same arrivals each time)
    journeys = Travels(system)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    async with (
        httpx.AsyncClient(limits=limits, timeout=60, trust_env=False, auth=system.auth) as client,
        asyncio.TaskGroup() as customers,
    ):
        due = started = time.monotonic()
        while due < started + seconds:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            customers.create_task(_live(system, client, journeys))
            due += chance.expovariate(rate)
    return journeys


async def _live(system: WholeSystem, client: httpx.AsyncClient, journeys: Travels) -> None:
    """One customer: subscribes, and cancels the payment a while later."""
    name = str(uuid4())
    sent = time.time()
    answer = await client.post(
        f"{system.processes['subscription-api'].url}/subscriptions",
        json=ORDER,
        headers={CORRELATION_HEADER: f"create-{name}"},
    )
    if answer.status_code != httpx.codes.CREATED:
        journeys.failed.append(f"POST {answer.status_code}")
        return
    journeys.sent[EventType.SUBSCRIPTION_CREATED][f"create-{name}"] = sent
    payment = f"{system.processes['payment-api'].url}/payments/{answer.json()['id']}"
    await asyncio.sleep(CANCELS_AFTER)
    for _ in range(CANCEL_TRIES):
        sent = time.time()
        answer = await client.patch(
            payment,
            json={"status": "cancelled"},
            headers={CORRELATION_HEADER: f"cancel-{name}"},
        )
        if answer.status_code != httpx.codes.NOT_FOUND:
            break
        await asyncio.sleep(TRY_AGAIN)
    if answer.status_code != httpx.codes.OK:
        journeys.failed.append(f"PATCH {answer.status_code}")
        return
    journeys.sent[EventType.PAYMENT_CANCELLED][f"cancel-{name}"] = sent
