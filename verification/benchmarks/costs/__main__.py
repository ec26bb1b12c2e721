"""`make costs`: what this system costs on AWS, and what two others would."""

import argparse
from collections.abc import Sequence

from runtime.process.command import run_command
from verification.benchmarks.calls import expected
from verification.benchmarks.costs import document
from verification.benchmarks.costs.book import load
from verification.benchmarks.costs.model import costs
from verification.benchmarks.pages import write


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m verification.benchmarks.costs", description=__doc__
    )
    parser.add_argument("--write", action="store_true", help="write docs/costs.md and its plot")
    chosen = parser.parse_args(arguments)
    sections, book = expected.load(), load()
    generated = document.parts(sections, book)
    if chosen.write:
        write(document.COSTS_PAGE, generated)
        document.draw(costs(sections, book, document.BATCHES[-1]))
    else:
        print("\n\n".join(generated.values()))
    return 0


if __name__ == "__main__":
    run_command(main)
