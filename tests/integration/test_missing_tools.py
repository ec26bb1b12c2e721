"""What a run of the tests says where a tool is missing: here a browser."""

import os
import subprocess
import sys

from infra.local_system.settings import ROOT

NEEDS_A_BROWSER = "tests/browser/test_keyboard.py"


def run_without_a_browser(workers: int, **env: str) -> subprocess.CompletedProcess[str]:
    """Pytest on a machine without Chromium; with 0 workers in one process."""
    machine = {name: value for name, value in os.environ.items() if name != "CI"}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-n",
            str(workers),
            "-p",
            "no:cacheprovider",
            NEEDS_A_BROWSER,
        ],
        cwd=ROOT,
        env={**machine, "CHROMIUM": "/nowhere/chromium", **env},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )


def test_a_missing_tool_is_said_once_with_what_to_install() -> None:
    """However many tests want it; the closing line counts them."""
    done = run_without_a_browser(2)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("for want of Chromium: sudo apt-get install chromium") == 1
    assert done.stdout.count("apt-get install chromium") == 1
    assert "skipped for a missing tool in" in done.stdout.splitlines()[-1]


def test_ci_skips_nothing_for_a_missing_tool() -> None:
    """There all is installed, and a hole would go unseen."""
    done = run_without_a_browser(0, CI="true")
    assert done.returncode == 1
    assert "skipped" not in done.stdout.splitlines()[-1]
    assert "with CI set nothing is skipped" in done.stdout
