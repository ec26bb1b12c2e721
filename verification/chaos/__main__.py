"""`python -m verification.chaos --minutes 10 --seed 1`, which is `make chaos MINUTES=10 SEED=1`."""

import argparse
import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from infra.local_system.settings import ROOT, AuthSettings
from local.console import Console
from local.isolation import isolate
from local.system import CANNOT_START
from runtime.process.command import FAILED, run_command
from runtime.process.shutdown import Stop, on_signal
from runtime.settings import load
from verification.chaos.report import ChaosReport
from verification.chaos.run import ChaosPlan, run
from verification.chaos.schedule import draw_clocks, draw_faults

RAZORS_A_SECOND = 100
"""That there are: three customers who subscribe every 0.6 s want some three times as many."""


def main() -> int:
    arguments = _arguments()
    seed = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    with_tokens = " AUTH=1" if load(AuthSettings).auth else ""
    command = f"make chaos MINUTES={arguments.minutes:g} SEED={seed}{with_tokens}"
    console, stop = Console(sys.stdout), Stop()
    seconds = arguments.minutes * 60
    plan = ChaosPlan(
        seed,
        seconds,
        draw_faults(seed, seconds),
        draw_clocks(seed),
        on_hand=round(RAZORS_A_SECOND * seconds),
    )
    isolate(os.environ, configured_by=AuthSettings, say=console.say)
    state_dir = Path(tempfile.mkdtemp(prefix="streamed-chaos-"))
    log = state_dir / "processes.log"
    console.say(f"{command}: {len(plan.faults)} faults; what the processes say is in {log}")
    try:
        with on_signal(stop), log.open("w", encoding="utf-8") as stream:
            report = run(
                plan,
                state_dir,
                command=command,
                console=console,
                processes=Console(stream, coloured=False),
                stop=stop,
            )
    except CANNOT_START as error:
        notes = getattr(error, "__notes__", ())  # what the processes said is not on the terminal
        console.say("\n".join([str(error), *notes, f"its state is kept in {state_dir}"]))
        return FAILED
    return _tell(report, console, state_dir, arguments.report or ROOT / f"build/chaos/{seed}.md")


def _tell(report: ChaosReport, console: Console, state_dir: Path, file: Path) -> int:
    text = report.markdown()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    console.say(f"\n{text}\nThe report is in {file}")
    if report.failures:
        console.say(f"The system's state and what its processes said are kept in {state_dir}")
        return FAILED
    shutil.rmtree(state_dir)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, help="of the schedule; drawn, and printed, if not set")
    parser.add_argument("--report", type=Path, help="where the report goes (build/chaos/SEED.md)")
    return parser.parse_args()


if __name__ == "__main__":
    run_command(main)
