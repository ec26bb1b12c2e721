"""Runs a process by a clock that is off: `python -m verification.chaos.clocks SECONDS MODULE …`.

All that our code asks for the time of day goes through runtime.ids.utc_now, which composition roots
hand on: so it is set off before they are imported. Time that is only measured is right.
"""

import runpy
import sys
from datetime import timedelta

from runtime import ids


def main() -> None:
    """Set the clock `SECONDS` forward (or back, where negative) and become the module."""
    seconds, module, *arguments = sys.argv[1:]
    offset, right = timedelta(seconds=float(seconds)), ids.utc_now
    ids.utc_now = lambda: right() + offset
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
