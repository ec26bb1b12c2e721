"""Runs a command that dies with the process that started it, even when that one is killed with -9.

A script of its own, run as `python -I -S tether.py PARENT SIGNAL COMMAND …`, because the wish has
to be spoken inside the child and Popen's preexec_fn may deadlock where threads are in play. It
replaces itself by the command, so nothing of it stays in memory. Elsewhere than on Linux it only
runs the command: macOS has no such wish, and there only a clean stop leaves nothing behind.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> None:
    parent, signal_number, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)
        if os.getppid() != parent:
            # The parent died before the signal was asked for: it would never come.
            sys.exit(f"{command[0]} was not started: the process that wanted it is gone")
    # A shell starts what it runs in the background with SIGINT ignored, and that is inherited.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
