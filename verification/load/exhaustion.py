"""Slow, greedy and broken clients against one HTTP port, while others use it."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import httpx

from verification.load import clients
from verification.load.clients import CLOSED, HELD_FOREVER, Attack, AttackTarget
from verification.load.report import LoadReport, percentile, spread
from verification.testkit.engines import Engines
from verification.testkit.launcher import LaunchedProcess
from verification.testkit.waiting import wait_until

SLOWER_BY = 0.5
"""Seconds that the p99 of others may be above that of the clients of a process without attack."""

ATTACK_MEMORY = 60.0
"""Megabytes that a process may grow by under attack."""

BETWEEN_REQUESTS = 0.05
"""Seconds between an answer and a client of good will's next request."""

STOPS_WITHIN = 10.0
"""Seconds from SIGTERM to the end of a process, clients or not."""

GARBAGE: dict[str, tuple[bytes, str]] = {
    "two lengths": (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        "400",
    ),
    "a negative length": (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400"),
    "a length and chunks": (
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        ),
        "400",
    ),
    "an unknown encoding": (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "501",
    ),
    "a space before the colon": (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", "400"),
    "a folded header": (
        b"GET / HTTP/1.1\r\nConnection: close\r\nHost: x\r\n X: y\r\n Z\r\n\r\n",
        "404 or 405",
    ),
    "a null in a header": (b"GET / HTTP/1.1\r\nHost: x\r\nX: \x00\r\n\r\n", "400"),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", "400"),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400"),
    "a chunk without a size": (
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "400",
    ),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n", "400"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"),
    "an empty line and zeros": (b"\r\n" + bytes(4096) + b"\r\n\r\n", "400"),
}
"""What is sent, and the statuses that answer it: none but these."""


@dataclass(frozen=True)
class Crowd:
    """How many clients of each kind attack at once."""

    connections: int
    """That are silent, stop in their headers, or idle after an answer: a third each."""
    slow: int
    """That trickle headers, bodies and chunks, and that do not read: of each."""
    greedy: int
    """That send too much: of each kind."""


@dataclass
class Others:
    """What a client of good will meets, request by request."""

    seconds: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)


ATTACKED_APIS = {
    "subscription-api": AttackTarget(0, "/docs/assets/swagger-ui-bundle.js", "/subscriptions"),
    "stock-api": AttackTarget(0, "/docs/assets/swagger-ui-bundle.js", "/stock"),
    "payment-api": AttackTarget(0, "/docs/assets/swagger-ui-bundle.js", "/payments"),
}
ATTACKED_WORKERS = {
    "stock-consumer": AttackTarget(0, "/metrics", "/healthz"),
    "subscriptions-relay": AttackTarget(0, "/metrics", "/healthz"),
}
"""Each by its workload; the ports are chosen when it starts."""


def run(
    engines: Engines,
    crowd: Crowd,
    *names: str,
    at_once: int = 1,
    slower_by: float = SLOWER_BY,
) -> LoadReport:
    """Attack the APIs and the health servers of workers, or those named, `at_once` of them.

    `slower_by` is the seconds by which the p99 of others may be above a twin's.
    """
    report = LoadReport(
        f"Exhaustion: {crowd.connections} idle connections, and slow, greedy and broken clients",
        f"make load RUN=exhaustion CONNECTIONS={crowd.connections}",
    )

    def attack_one(name: str) -> None:
        with engines.running(name) as process, engines.running(name) as twin:
            attack(process, twin, crowd, report, slower_by=slower_by)

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(attack_one, names or ATTACKED_APIS | ATTACKED_WORKERS))
    return report


def attack(
    process: LaunchedProcess,
    twin: LaunchedProcess,
    crowd: Crowd,
    report: LoadReport,
    *,
    slower_by: float,
) -> None:
    """Attack a process, stop it while slow clients hang on, and note what holds.

    Its twin, which is not attacked, shows how slow the machine is meanwhile.
    """
    name = process.name
    target = replace((ATTACKED_APIS | ATTACKED_WORKERS)[name], port=process.port)
    # Any answer under 500 is right.
    ask = f"{target.write_path}/unknown" if name in ATTACKED_APIS else "/readyz"
    files, peak = process.open_files, process.peak_megabytes
    with asking(process.url + ask) as others, asking(twin.url + ask) as elsewhere:
        ended = asyncio.run(clients.outcomes(target, _attacks(crowd)))
        broken = asyncio.run(_garbage(target))
    came_back = bool(wait_until(lambda: process.open_files <= files + 5, within=15))
    grown = process.peak_megabytes - peak
    slower = percentile(others.seconds, 0.99) - percentile(elsewhere.seconds, 0.99)
    report.number(
        f"{name}: others meanwhile (p50 / p99 / max)",
        f"{spread(others.seconds)}, {len(others.seconds):,} requests",
    )
    report.number(f"{name}: the same of a twin without attacks", spread(elsewhere.seconds))
    report.number(f"{name}: peak memory, before and after", f"{peak:.0f} and {peak + grown:.0f} MB")
    report.number(
        f"{name}: how they ended",
        "; ".join(f"{count} {outcome}" for outcome, count in sorted(ended.items())),
    )
    wrong = {outcome for outcome in ended if not _is_right(outcome)}
    found = {
        "refuses or drops every one of them that does not only idle after an answer": (
            ", ".join(sorted(wrong)),
            not wrong,
        ),
        "answers what is no HTTP once, and clearly": (str(broken or ""), not broken),
        "answers others all the while": (
            f"p99 {1000 * slower:+,.0f} ms to its twin's, failures: {dict(others.failures) or 0}",
            slower < slower_by and not others.failures,
        ),
        f"takes no more than {ATTACK_MEMORY:.0f} MB for it": (
            f"{grown:.0f} MB",
            grown < ATTACK_MEMORY,
        ),
        "has its files back": (f"{files} before, {process.open_files} after", came_back),
    }
    seconds, code = asyncio.run(_stop_amid(process, target))
    found["stops while slow clients hang on"] = (
        f"{seconds:.1f} s, exit code {code}",
        seconds < STOPS_WITHIN and code == 0,
    )
    for promise, (what, holds) in found.items():
        report.promise(f"{name} {promise}", what or "it does", holds=holds)


@contextmanager
def asking(url: str) -> Iterator[Others]:
    """Ask for a URL again and again, until the block ends."""
    others, stop = Others(), threading.Event()

    def ask() -> None:
        with httpx.Client(timeout=10, trust_env=False) as client:
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

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield others
    finally:
        stop.set()
        thread.join()


def _attacks(crowd: Crowd) -> list[tuple[Attack, int]]:
    third = crowd.connections // 3
    idle: list[Attack] = [clients.silent, clients.half_open, clients.idle_after_an_answer]
    slow: list[Attack] = [
        clients.slow_headers,
        clients.slow_body,
        clients.slow_chunks,
        clients.never_reads,
    ]
    greedy: list[Attack] = [
        clients.announces_more_than_it_sends,
        clients.sends_more_than_it_announces,
        clients.large_header,
        clients.many_headers,
        clients.endless_headers,
        clients.large_body,
        clients.endless_body,
        clients.pipelines,
    ]
    return [
        *((each, third) for each in idle),
        *((each, crowd.slow) for each in slow),
        *((each, crowd.greedy) for each in greedy),
    ]


def _is_right(outcome: str) -> bool:
    """Whether a client came to an end that it can understand."""
    kind, _, ended = outcome.partition(": ")
    if ended == HELD_FOREVER:
        return False
    return ended in _RIGHT.get(kind, {ended})


_REFUSED = {"404", "405", "408", "413"}
_RIGHT = {
    "silent": {CLOSED},
    "half open": {"408"},
    "idle after an answer": {"2 x 200", "200"},  # the second, where others needed its room
    "slow headers": {"408"},
    "slow body": _REFUSED,
    "slow chunks": _REFUSED,
    "never reads": {"dropped"},
    "announces more than it sends": _REFUSED,
    "sends more than it announces": {"400", "400, 404", "400, 405", "400, 422"},
    "large header": {"431"},
    "many headers": {"431"},
    "endless headers": {"431"},
    "large body": _REFUSED,
    "endless body": _REFUSED,
    "pipelines": {"20 x 200"},
}


async def _garbage(target: AttackTarget) -> dict[str, str]:
    """Send all that is garbage; what was answered in another way than it should."""
    found = await asyncio.gather(*(clients.garbage(target, sent) for sent, _ in GARBAGE.values()))
    wanted = {name: status for name, (_, status) in GARBAGE.items()}
    return {
        name: status
        for (name, right), status in zip(wanted.items(), found, strict=True)
        if status not in right.split(" or ")
    }


async def _stop_amid(process: LaunchedProcess, target: AttackTarget) -> tuple[float, int]:
    """Stop a process while clients hang on to it; seconds and exit code."""
    hanging: list[Attack] = [
        clients.half_open,
        clients.slow_headers,
        clients.slow_body,
        clients.slow_chunks,
        clients.never_reads,
    ]
    crowd = asyncio.ensure_future(clients.outcomes(target, [(each, 10) for each in hanging]))
    await asyncio.sleep(2)
    try:
        return await asyncio.to_thread(process.stop)
    finally:
        crowd.cancel()
