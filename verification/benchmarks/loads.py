"""HTTP load from a package, locust, in a process of its own; and what it met."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from infra.local_system.settings import ROOT
from verification.load.report import percentile
from verification.testkit.launcher import LaunchedProcess

USERS = {"POST": "SubscribingUser", "GET": "ReadingUser"}
"""Classes of verification/benchmarks/users.py, by the method of what they do."""

ENDS_WITHIN = 30.0
"""Seconds that locust has beside those of the load, on a machine that is busy."""

LONGEST = 60
"""Seconds of a load: one that was too short is played again, for twice as long."""


class LoadFailed(Exception):
    """A load in which a request failed: its numbers say nothing."""


class TooShort(LoadFailed):
    """A load in whose seconds fewer than two requests were answered: the machine is busy."""


@dataclass(frozen=True)
class Met:
    """What a load met: `throughput` in requests/s; how many answers took how many milliseconds.

    locust rounds what is above 100 ms to 10 ms, and what is above 1 s to 100 ms.
    """

    throughput: float
    answers: Mapping[float, int]

    def milliseconds(self, part: float) -> float:
        """What `part` (0 to 1) of the answers did not exceed."""
        return percentile(list(Counter(self.answers).elements()), part)


def load(
    process: LaunchedProcess, method: str, *, connections: int, seconds: int, env: Mapping[str, str]
) -> Met:
    """Let that many users ask it for so long, or longer if that is too short; raises LoadFailed."""
    return met_within(lambda long: _played(process, method, connections, long, env), seconds)


def met_within(play: Callable[[int], str], seconds: int) -> Met:
    """Read what a load of that many seconds wrote, or one of twice as many. Raises LoadFailed."""
    while True:
        try:
            return read(play(seconds))
        except TooShort:
            if seconds >= LONGEST:
                raise
            seconds = min(2 * seconds, LONGEST)


def _played(
    process: LaunchedProcess, method: str, connections: int, seconds: int, env: Mapping[str, str]
) -> str:
    users = ROOT / "verification" / "benchmarks" / "users.py"
    command = [sys.executable, "-m", "locust", "-f", str(users)]
    command += ["--headless", "--json", "--only-summary", "--skip-log-setup"]
    command += ["-u", str(connections), "-r", str(connections), "-t", f"{seconds}s"]
    ended = subprocess.run(
        [*command, "--host", process.url, USERS[method]],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + ENDS_WITHIN,
    )
    if ended.returncode:
        raise LoadFailed(
            f"{method} at {process.name}: {ended.stdout[-1000:]}{ended.stderr[-1000:]}"
        )
    return ended.stdout


def read(text: str) -> Met:
    """Read what `locust --json` wrote of the one kind of request that its users made.

    Throughput is that between the first answer and the last, which leaves locust's start out.
    Raises TooShort, and LoadFailed for a request that failed.
    """
    entries = json.loads(text)
    if not entries:
        raise TooShort("no request was answered")
    if len(entries) != 1 or entries[0]["num_failures"]:
        raise LoadFailed(text)
    (entry,) = entries
    seconds = entry["last_request_timestamp"] - entry["start_time"]
    if not seconds:
        raise TooShort(f"one answer only: {text}")
    answers = {float(took): count for took, count in entry["response_times"].items()}
    return Met((entry["num_requests"] - 1) / seconds, answers)
