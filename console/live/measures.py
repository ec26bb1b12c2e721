"""Looks at the system once: the depths of all queues by SQS, outboxes and APIs by REST.

An emulator's SQS does not say how old the oldest message is, and CloudWatch says it minutes late.
A queue that has messages, none in work, and never fewer than a look before, is not being received
from; how long that has been so is known to a frequent reader.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

import httpx

from console.apis import Api, said
from operations.environment import Environment
from operations.sources.depths import Depth, depth_of
from operations.sources.origins import origins, work_queues
from runtime.errors import Misconfigured, Unavailable
from runtime.ids import utc_now
from runtime.outbox.stats import OutboxStats
from runtime.sqs.queue import find_url

MEASURE_THREADS = 8

LOOK = httpx.Timeout(2.0, connect=1.0)


@dataclass(frozen=True)
class Reading:
    """What one look found: `outboxes` and `apis` by domain and process, or why it was not read.

    An API's None is that it is ready. `still` is how long queues stand still, in seconds.
    """

    depths: Mapping[str, Depth] = field(default_factory=dict)
    still: Mapping[str, float] = field(default_factory=dict)
    outboxes: Mapping[str, OutboxStats | str] = field(default_factory=dict)
    apis: Mapping[str, str | None] = field(default_factory=dict)
    trouble: str | None = None
    read_at: datetime = field(default_factory=utc_now)


class Measures:
    """`dead_letter_seconds` pass between two looks at the dead-letter queues: each is a call."""

    def __init__(
        self, environment: Environment, apis: Mapping[str, Api], *, dead_letter_seconds: float
    ) -> None:
        self._environment, self._apis = environment, apis
        self._work = [each.name for each in work_queues(environment.topology)]
        self._dead = list(origins(environment.topology, environment.workloads))
        self._dead_letter_seconds = dead_letter_seconds
        self._dead_looked = float("-inf")
        self._urls: dict[str, str] = {}
        self._depths: dict[str, Depth] = {}
        self._standstills = Standstills()
        self._pool = ThreadPoolExecutor(MEASURE_THREADS, thread_name_prefix="measures")

    def look(self) -> Reading:
        """Look once; what is away is said in the reading."""
        now = monotonic()
        dead = now - self._dead_looked >= self._dead_letter_seconds
        asked = {each: self._pool.submit(_outbox, each) for each in self._apis.values()}
        fresh, trouble = self._look_at([*self._work, *(self._dead if dead else ())])
        if dead and not trouble:
            self._dead_looked = now
        self._depths = {} if trouble else {**self._depths, **fresh}
        still = self._standstills.look(
            {name: depth for name, depth in fresh.items() if name in self._work}, now
        )
        found = {api: each.result() for api, each in asked.items()}
        return Reading(
            depths=self._depths,
            still=still,
            outboxes={api.domain: each for api, each in found.items()},
            apis={a.process: each if isinstance(each, str) else None for a, each in found.items()},
            trouble=trouble,
        )

    def _look_at(self, queues: Sequence[str]) -> tuple[Mapping[str, Depth], str | None]:
        asked = {name: self._pool.submit(self._depth, name) for name in queues}
        found: dict[str, Depth] = {}
        trouble: str | None = None
        for name, answer in asked.items():
            try:
                found[name] = answer.result()
            except (Unavailable, Misconfigured) as error:
                self._urls.pop(name, None)
                trouble = f"the console cannot read the queues: {error}"
        return found, trouble

    def _depth(self, queue: str) -> Depth:
        sqs = self._environment.aws(self._environment.topology.domain_of_queue(queue)).client("sqs")
        if queue not in self._urls:
            self._urls[queue] = find_url(sqs, queue)
        return depth_of(sqs, self._urls[queue])


class Standstills:
    """Since when messages wait and none is received: one look at every queue after the other."""

    def __init__(self) -> None:
        self._looks: dict[str, tuple[float, int]] = {}

    def look(self, depths: Mapping[str, Depth], now: float) -> dict[str, float]:
        """Take a look; returns how long each queue has not moved, in seconds."""
        for name, depth in depths.items():
            since, before = self._looks.get(name, (now, 0))
            moved = not before or depth.in_flight or depth.visible < before
            self._looks[name] = now if moved else since, depth.visible
        return {
            name: now - since
            for name, (since, visible) in self._looks.items()
            if visible and name in depths
        }


def _outbox(api: Api) -> OutboxStats | str:
    """Ask an API for its outbox, which it knows only while it reaches its database; or why not."""
    try:
        answer = api.client.get(api.outbox_url, auth=api.outbox_auth, timeout=LOOK)
        answer.raise_for_status()
        found = answer.json()
        age = found["oldestAgeSeconds"]
        return OutboxStats(
            depth=int(found["depth"]),
            at_least=bool(found["atLeast"]),
            oldest=None if age is None else utc_now() - timedelta(seconds=float(age)),
        )
    except httpx.HTTPError as error:
        return f"{api.process} does not answer {api.outbox_url}: {said(error)}"
    except (KeyError, TypeError, ValueError):
        return f"{api.outbox_url} does not answer as our APIs do: is something else there?"
