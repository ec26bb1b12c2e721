"""`make bench`: play every row, print the table, keep the results."""

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, nullcontext
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import monotonic

from infra.local_system.settings import ROOT
from local.isolation import isolate
from local.system import CANNOT_START
from runtime import logs
from runtime.process.command import complain, run_command
from verification.benchmarks.goals import goals
from verification.benchmarks.lines import BenchmarkLine, Results
from verification.benchmarks.publishing import publish
from verification.benchmarks.rows import (
    api,
    calls,
    change_stream,
    consumer,
    end_to_end,
    process_costs,
    relay_drain,
    relay_stub,
    slow_bus,
)
from verification.benchmarks.sizes import FULL_SIZE, QUICK_SIZE, Size
from verification.benchmarks.table import markdown, verdicts
from verification.load.report import machine
from verification.testkit.engines import Engines, temporary_engines

RESULTS = ROOT / "build" / "bench" / "results.json"

VERSIONS = ("boto3", "pymongo", "fastapi", "uvicorn", "pydantic", "ministack")

Row = Callable[[Engines, Size], Sequence[BenchmarkLine]]

BENCHMARKS: dict[str, Row] = {
    "relay": relay_stub.run,
    "relay-on-ministack": relay_drain.run,
    "slow-bus": slow_bus.run,
    "change-stream": change_stream.run,
    "consumer": consumer.run,
    "api": api.run,
    "end-to-end": end_to_end.run,
    "processes": process_costs.run,
    "calls": calls.run,
}

QUICK_ROWS = ("relay", "change-stream", "consumer", "api", "end-to-end", "processes")
"""Those with the goals of the table."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m verification.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the rows of the goals, in 3 minutes")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the JSON goes")
    parser.add_argument("--publish", action="store_true", help="into docs/ and README.md")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(BENCHMARKS))
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.rows) - BENCHMARKS.keys():
        parser.error(
            f"no row is called {', '.join(sorted(unknown))}: say one of {', '.join(BENCHMARKS)}"
        )
    isolate(os.environ, say=complain)
    logs.configure(level="WARNING", form="console", process="benchmarks")
    size = QUICK_SIZE if chosen.quick else FULL_SIZE
    names = chosen.rows or (QUICK_ROWS if chosen.quick else BENCHMARKS)
    lines = _played(names, size)
    results = Results(
        command="make bench-quick" if chosen.quick else "make bench",
        date=datetime.now(UTC).date().isoformat(),
        machine=machine(),
        versions={
            platform.system(): platform.release(),
            "Python": platform.python_version(),
            **{name: version(name) for name in VERSIONS},
        },
        commit=_commit(),
        lines=lines,
    )
    results.save(chosen.out)
    print(markdown(results), goals(results), sep="\n\n")
    print(verdicts(results), file=sys.stderr)
    if chosen.publish:
        publish(results, chosen.out)
    return exit_code(results)


def _played(names: Iterable[str], size: Size) -> list[BenchmarkLine]:
    """Play rows one after the other, each on engines of its own; quick ones share theirs."""
    lines: list[BenchmarkLine] = []
    started = monotonic()
    with ExitStack() as shared:
        quick = shared.enter_context(temporary_engines("bench-")) if size.is_quick else None
        for name in names:
            print(f"{monotonic() - started:5.0f} s  {name} …", file=sys.stderr, flush=True)
            own = nullcontext(quick) if quick else temporary_engines("bench-")
            with own as engines:
                lines += BENCHMARKS[name](engines, size)
    print(f"{monotonic() - started:5.0f} s", file=sys.stderr, flush=True)
    return lines


def exit_code(results: Results) -> int:
    """1 where a goal is missed; 0 also where the noise was too much to decide."""
    return 1 if results.with_verdict("missed") else 0


def _commit() -> str:
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607 (git is where the clone's is)
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"


if __name__ == "__main__":
    run_command(main, failures=CANNOT_START)
