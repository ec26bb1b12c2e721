"""What an HTTP load met: throughput, latencies, and the CPU of both ends for a request."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

from infra.local_system.settings import ROOT
from verification.benchmarks.pinning import generator_cores, pin
from verification.load.report import percentile
from verification.testkit.launcher import LaunchedProcess

ENDS_WITHIN = 30.0
"""Seconds that a load has beside its own, on a machine that is busy."""


class LoadFailed(Exception):
    """A load in which a request failed: its numbers say nothing."""


@dataclass(frozen=True)
class Load:
    """Requests that are all answered with the `wanted` status; `bodies` are sent in turn."""

    method: str
    path: str
    wanted: int
    headers: Mapping[str, str] = field(default_factory=dict)
    bodies: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Met:
    """`throughput` in requests/s, each answer in milliseconds; CPU seconds for a request.

    `cpu` is what the process took, and `generator` what made the load.
    """

    throughput: float
    milliseconds: Sequence[float]
    cpu: float
    generator: float

    def percentile(self, part: float) -> float:
        """Milliseconds that `part` (0 to 1) of the answers did not exceed."""
        return percentile(self.milliseconds, part)


def play(process: LaunchedProcess, load: Load, *, connections: int, seconds: float) -> Met:
    """Have that many connections ask it for so long; raises LoadFailed.

    What it takes to start the generator counts as its own.
    """
    cpu, generator = process.cpu_seconds, _children_seconds()
    asked = {"port": process.port, "connections": connections, "seconds": seconds, **asdict(load)}
    found = json.loads(_played(json.dumps(asked), seconds + ENDS_WITHIN))
    requests = len(found["milliseconds"])
    return Met(
        throughput=requests / found["seconds"],
        milliseconds=found["milliseconds"],
        cpu=(process.cpu_seconds - cpu) / requests,
        generator=(_children_seconds() - generator) / requests,
    )


def _played(asked: str, timeout: float) -> str:
    with subprocess.Popen(
        [sys.executable, "-m", "verification.benchmarks.http_load"],
        cwd=ROOT,
        env=os.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as generator:
        pin(generator.pid, generator_cores())
        try:
            output, errors = generator.communicate(asked, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            generator.kill()
            raise LoadFailed(f"no end after {timeout:g} s") from error
    if generator.returncode:
        raise LoadFailed(errors[-1000:])
    return output


def _children_seconds() -> float:
    """CPU of the children that have ended."""
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
