"""Load runs with numbers: `python -m verification.load [RUN …]`, which is `make load`."""

import os
import sys
from collections.abc import Callable
from contextlib import nullcontext

from pydantic import Field

from infra.local_system.settings import AuthSettings
from local.isolation import isolate
from local.system import CANNOT_START
from runtime.errors import Misconfigured
from runtime.process.command import complain, run_command
from runtime.settings import load
from verification.load import backlog, exhaustion, poison, watched
from verification.load.outboxes import LoadedCollection
from verification.load.report import LoadReport
from verification.testkit.engines import Engines, requiring_tokens, temporary_engines
from verification.testkit.launcher import ProcessNotReady

BROKEN = 1
"""Exit code: a run missed what it promises."""


class LoadSettings(AuthSettings):
    """How large the runs are: make load RUN=backlog ROWS=100000; AUTH=1 requires tokens."""

    rows: int = Field(default=100_000, ge=100)
    good: int = Field(default=10_000, ge=100)
    poison: int = Field(default=1_000, ge=10)
    connections: int = Field(default=500, ge=10)
    rate: int = Field(default=1_000, ge=10)
    seconds: int = Field(default=120, ge=10)


Run = Callable[[Engines, LoadSettings], LoadReport]

RUNS: dict[str, Run] = {
    "backlog": lambda engines, settings: backlog.run(engines, settings.rows),
    "backlog-mongodb": lambda engines, settings: backlog.run(
        engines, settings.rows, LoadedCollection
    ),
    "poison": lambda engines, settings: poison.run(engines, settings.good, settings.poison),
    "exhaustion": lambda engines, settings: exhaustion.run(
        engines, exhaustion.Crowd(settings.connections, slow=30, greedy=5)
    ),
    "console": lambda engines, settings: watched.run(engines, settings.rate, settings.seconds),
}


def main(names: list[str]) -> int:
    isolate(os.environ, configured_by=LoadSettings, say=complain)
    settings = load(LoadSettings)
    reports = [_run(each, settings) for each in _wanted(names)]
    return BROKEN if any(report.broken for report in reports) else 0


def _wanted(names: list[str]) -> list[Run]:
    if unknown := set(names) - RUNS.keys():
        raise Misconfigured(f"RUN: {', '.join(sorted(unknown))}: say one of {', '.join(RUNS)}")
    return [RUNS[name] for name in names or RUNS]


def _run(one: Run, settings: LoadSettings) -> LoadReport:
    with (
        temporary_engines("load-") as engines,
        requiring_tokens(engines) if settings.auth else nullcontext(engines) as tested,
    ):
        report = one(tested, settings)
    print(f"{report.markdown()}\n", flush=True)
    return report


if __name__ == "__main__":
    run_command(lambda: main(sys.argv[1:]), failures=(ProcessNotReady, *CANNOT_START))
