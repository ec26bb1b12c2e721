"""Slow, greedy and broken clients against one HTTP port, while others use it."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

import httpx

from verification.load.attacks import GARBAGE, GREEDY, HALF_OPEN, IDLE, SLOW
from verification.load.clients import Attack, AttackTarget, outcomes
from verification.load.report import LoadReport, percentile, spread
from verification.testkit.engines import Engines, workload_of
from verification.testkit.launcher import LaunchedProcess
from verification.testkit.meanwhile import meanwhile
from verification.testkit.waiting import wait_until

SLOWER_BY = 0.5
"""Seconds that the p99 of others may be above that of the clients of a process without attack."""

ATTACK_MEMORY = 60.0
"""Megabytes that a process may grow by under attack."""

BETWEEN_REQUESTS = 0.05
"""Seconds between an answer and a client of good will's next request."""

STOPS_WITHIN = 10.0
"""Seconds from SIGTERM to the end of a process, clients or not."""


@dataclass(frozen=True)
class Crowd:
    """How many clients of each kind attack at once."""

    connections: int
    """That are silent, stop in their headers, or idle after an answer: a third each."""
    slow: int
    """That trickle headers, bodies and chunks, and that do not read: of each."""
    greedy: int
    """That send too much: of each kind."""

    def attacks(self) -> list[tuple[Attack, int]]:
        idle = [(each, self.connections // 3) for each in IDLE]
        slow = [(each, self.slow) for each in SLOW]
        return [*idle, *slow, *((each, self.greedy) for each in GREEDY)]


@dataclass
class Others:
    """What a client of good will meets, request by request."""

    seconds: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)


ATTACKED = (
    "subscription-api",
    "stock-api",
    "payment-api",
    "stock-consumer",
    "subscriptions-relay",
)
"""The APIs, and workers by their health servers."""


def run(
    engines: Engines,
    crowd: Crowd,
    *names: str,
    at_once: int = 1,
    slower_by: float = SLOWER_BY,
    stops_within: float = STOPS_WITHIN,
) -> LoadReport:
    """Attack the APIs and the health servers of workers, or those named, `at_once` of them.

    `slower_by` is the seconds by which the p99 of others may be above a twin's, and `stops_within`
    those that a process may take to stop: more where other work wants the machine.
    """
    report = LoadReport(
        f"Exhaustion: {crowd.connections} idle connections, and slow, greedy and broken clients",
        f"make load RUN=exhaustion CONNECTIONS={crowd.connections}",
    )

    def attack_one(name: str) -> None:
        with engines.running(name) as process, engines.running(name) as twin:
            attack(
                process,
                twin,
                crowd,
                report,
                slower_by=slower_by,
                stops_within=stops_within,
                auth=engines.tokens,
            )

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(attack_one, names or ATTACKED))
    return report


def attack(
    process: LaunchedProcess,
    twin: LaunchedProcess,
    crowd: Crowd,
    report: LoadReport,
    *,
    slower_by: float,
    stops_within: float,
    auth: httpx.Auth | None = None,
) -> None:
    """Attack a process, stop it while slow clients hang on, and note what holds.

    Its twin, which is not attacked, shows how slow the machine is meanwhile. Others have tokens.
    """
    name, path = process.name, workload_of(process.name).path
    if path:
        target = AttackTarget(process.port, "/docs/assets/swagger-ui-bundle.js", f"/{path}")
        ask = f"/{path}/unknown"  # any answer under 500 is right
    else:
        target, ask = AttackTarget(process.port, "/metrics", "/healthz"), "/readyz"
    files, peak = process.open_files, process.peak_megabytes
    with asking(process.url + ask, auth) as others, asking(twin.url + ask, auth) as elsewhere:
        ended = asyncio.run(outcomes(target, crowd.attacks()))
        answered = asyncio.run(outcomes(target, [(each, 1) for each in GARBAGE]))
    came_back = bool(wait_until(lambda: process.open_files <= files + 5, within=15))
    grown = process.peak_megabytes - peak
    slower = percentile(others.seconds, 0.99) - percentile(elsewhere.seconds, 0.99)
    ends = sorted(f"{count} {each.name}: {end}" for (each, end), count in ended.items())
    report.numbers |= {
        f"{name}: others meanwhile (p50 / p99 / max)": (
            f"{spread(others.seconds)}, {len(others.seconds):,} requests"
        ),
        f"{name}: the same of a twin without attacks": spread(elsewhere.seconds),
        f"{name}: peak memory, before and after": f"{peak:.0f} and {peak + grown:.0f} MB",
        f"{name}: how they ended": "; ".join(ends),
    }
    wrong, misread = _wrong(ended), _wrong(answered)

    def promise(text: str, found: str, *, holds: bool) -> None:
        report.promise(f"{name} {text}", found or "it does", holds=holds)

    promise(
        "refuses or drops every one of them that does not only idle after an answer",
        wrong,
        holds=not wrong,
    )
    promise("answers what is no HTTP once, and clearly", misread, holds=not misread)
    promise(
        "answers others all the while",
        f"p99 {1000 * slower:+,.0f} ms to its twin's, failures: {dict(others.failures) or 0}",
        holds=slower < slower_by and not others.failures,
    )
    promise(
        f"takes no more than {ATTACK_MEMORY:.0f} MB for it",
        f"{grown:.0f} MB",
        holds=grown < ATTACK_MEMORY,
    )
    promise("has its files back", f"{files} before, {process.open_files} after", holds=came_back)
    seconds, code = asyncio.run(_stop_amid(process, target))
    promise(
        "stops while slow clients hang on",
        f"{seconds:.1f} s, exit code {code}",
        holds=seconds < stops_within and code == 0,
    )


@contextmanager
def asking(url: str, auth: httpx.Auth | None = None) -> Iterator[Others]:
    """Ask for a URL again and again, until the block ends."""
    others = Others()

    def ask(stop: Event) -> None:
        with httpx.Client(auth=auth, timeout=10, trust_env=False) as client:
            while not stop.wait(BETWEEN_REQUESTS):
                started = time.perf_counter()
                try:
                    status = client.get(url).status_code
                except httpx.TransportError as error:
                    others.failures[type(error).__name__] += 1
                    continue
                if status >= httpx.codes.INTERNAL_SERVER_ERROR:
                    others.failures[str(status)] += 1
                others.seconds.append(time.perf_counter() - started)

    with meanwhile(ask):
        yield others


def _wrong(ended: Counter[tuple[Attack, str]]) -> str:
    """The clients that came to an end that is not right for them."""
    return ", ".join(sorted(f"{each.name}: {end}" for each, end in ended if end not in each.right))


async def _stop_amid(process: LaunchedProcess, target: AttackTarget) -> tuple[float, int]:
    """Stop a process while clients hang on to it; seconds and exit code."""
    hanging = [(each, 10) for each in (HALF_OPEN, *SLOW)]
    crowd = asyncio.ensure_future(outcomes(target, hanging))
    await asyncio.sleep(2)
    try:
        return await asyncio.to_thread(process.stop)
    finally:
        crowd.cancel()
