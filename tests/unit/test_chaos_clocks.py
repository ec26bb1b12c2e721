"""A process of ours by a clock that is off."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TELLS_THE_TIME = """
import sys
from services.payment.handlers import Handlers
print(sys.argv[1], Handlers(None)._now().isoformat(), __name__)
"""


@pytest.mark.parametrize("days", [-2, 3])
def test_a_process_runs_by_the_clock_that_it_is_given(tmp_path: Path, days: int) -> None:
    """What a composition root builds tells the time so many seconds off, arguments are kept."""
    (tmp_path / "tells.py").write_text(TELLS_THE_TIME)
    command = [
        sys.executable,
        "-m",
        "verification.chaos.clocks",
        str(days * 86_400),
        "tells",
        "argument",
    ]
    said = subprocess.run(
        command,
        env={"PYTHONPATH": f"{ROOT}:{tmp_path}"},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert (said[0], said[2]) == ("argument", "__main__")
    off = datetime.fromisoformat(said[1]) - datetime.now(UTC)
    assert abs(off - timedelta(days=days)) < timedelta(minutes=2)
