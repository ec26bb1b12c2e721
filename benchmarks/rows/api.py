"""POST /subscriptions and GET: the API beside the smallest FastAPI app on the same two tables.

Both processes live all the while and one is loaded at a time. Ours writes its log as it does in
production: a line for each request.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from benchmarks.lines import Goal, Line, Series
from benchmarks.rounds import interleaved
from benchmarks.sizes import Size
from local.load.engines import Engines, running_engines, workload_of
from local.load.processes import Observed, observed
from local.load.report import percentile
from local.settings import ROOT

ROW = "API"
OURS, SMALLEST = "subscription-api", "smallest FastAPI app"
USERS = {"POST": "NewSubscriber", "GET": "Reader"}
"""Classes of benchmarks/users.py, by the method of what they do."""

GOALS = {"POST": Goal("at least", 0.85)}
"""For throughput, by method."""

WARM_UP_SECONDS = 1
ROUND_SECONDS = 2
"""Whole ones: locust takes no others. Each load costs another half a second to start and end."""


class LoadFailed(Exception):
    """A load in which a request failed, or that met nobody: its numbers say nothing."""


@dataclass(frozen=True)
class Met:
    """What a load met: `throughput` in requests/s; how many answers took so many milliseconds.

    locust rounds what is above 100 ms to 10 ms, and what is above 1 s to 100 ms.
    """

    throughput: float
    answers: Mapping[float, int]

    def milliseconds(self, part: float) -> float:
        """What `part` (0 to 1) of the answers did not exceed."""
        return percentile(list(Counter(self.answers).elements()), part)


def run(size: Size) -> Sequence[Line]:
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        running_engines(Path(folder)) as engines,
    ):
        return race(engines, (16,) if size.is_quick else (1, 16, 64), size.rounds)


def race(engines: Engines, connections: Sequence[int], rounds: int) -> Sequence[Line]:
    """POST, then GET, over so many connections at a time; raises LoadFailed."""
    with _contenders(engines) as contenders:
        subscription_id = _subscribe(contenders[OURS])
        for process in contenders.values():
            for user in USERS.values():
                load(process.url, user, 16, WARM_UP_SECONDS, subscription_id)

    ...
