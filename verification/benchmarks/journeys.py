"""Customers who subscribe, and cancel later, at a rate that no answer slows down (an open loop)."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from uuid import uuid4

import httpx

from local.journey import DEMO_ORDER as ORDER
from runtime.http.middleware import CORRELATION_HEADER
from verification.benchmarks.whole_system import WholeSystem

CANCELS_AFTER = 2.0
"""Seconds between the two requests: the payment is there by then, unless there is a backlog."""

CANCEL_TRIES, TRY_AGAIN = 40, 0.25
"""Of a cancellation that is too early for its payment, and the seconds between them."""


@dataclass
class Requests:
    """When each request that led to something was sent, by its correlation id; epoch seconds."""

    created: dict[str, float] = field(default_factory=dict)
    cancelled: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


def travel(system: WholeSystem, *, rate: float, seconds: float, seed: int = 1) -> Requests:
    """Let customers come at random (Poisson) moments, `rate` a second, for `seconds`.

    Returns when the last has sent both requests.
    """
    return asyncio.run(_travel(system, rate, seconds, seed))


async def _travel(system: WholeSystem, rate: float, seconds: float, seed: int) -> Requests:
    chance = random.Random(seed)  # noqa: S311 (the same arrivals each time)
    requests = Requests()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    async with (
        httpx.AsyncClient(limits=limits, timeout=60, trust_env=False) as client,
        asyncio.TaskGroup() as customers,
    ):
        due = started = time.monotonic()
        while due < started + seconds:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            customers.create_task(_live(system, client, requests))
            due += chance.expovariate(rate)
    return requests


async def _live(system: WholeSystem, client: httpx.AsyncClient, requests: Requests) -> None:
    """One customer: subscribes, and cancels the payment a while later."""
    name = str(uuid4())
    sent = time.time()
    answer = await client.post(
        f"{system.url('subscription-api')}/subscriptions",
        json=ORDER,
        headers={CORRELATION_HEADER: f"create-{name}"},
    )
    if answer.status_code != httpx.codes.CREATED:
        requests.failed.append(f"POST {answer.status_code}")
        return
    requests.created[f"create-{name}"] = sent
    payment = f"{system.url('payment-api')}/payments/{answer.json()['id']}"
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
        requests.failed.append(f"PATCH {answer.status_code}")
        return
    requests.cancelled[f"cancel-{name}"] = sent
