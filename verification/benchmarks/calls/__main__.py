"""Count the calls to AWS, and hold them against what is committed."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence

import structlog

from local.isolation import isolate
from local.system import CANNOT_START
from runtime.process.command import complain, run_command
from verification.benchmarks.calls import expected
from verification.benchmarks.calls.drain import count_lambda, count_stepped
from verification.benchmarks.calls.lifecycle import count_lifecycle
from verification.benchmarks.calls.tally import Sections
from verification.testkit.engines import Engines, temporary_engines


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m verification.benchmarks.calls", description=__doc__
    )
    parser.add_argument("--accept", action="store_true", help="make what was counted the expected")
    chosen = parser.parse_args(arguments)
    isolate(os.environ, say=complain)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with temporary_engines("calls-") as engines:
        found = count(engines)
    if chosen.accept:
        expected.EXPECTED_COUNTS.write_text(expected.dump(found), encoding="utf-8")
        return 0
    print(expected.dump(found))
    differences = expected.changes(expected.load(), found)
    if differences:
        print(expected.complaint(differences), file=sys.stderr)
    return 1 if differences else 0


def count(engines: Engines) -> Sections:
    """Count a lifecycle, and a drain as daemon and as Lambda: what expected.toml holds."""
    lifecycle = count_lifecycle(engines).sections()
    drains = count_stepped(engines).sections("calls"), count_lambda(engines).sections("calls")
    return {**lifecycle, **drains[0], **drains[1]}


if __name__ == "__main__":
    run_command(main, failures=CANNOT_START)
