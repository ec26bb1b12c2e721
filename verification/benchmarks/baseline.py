"""The code of the commit that the goals are set beside, run with this checkout's packages.

So what differs is the code alone. A clone without its history has no such commit: then what would
stand beside it says so.
"""

import io
import subprocess
import tarfile
from functools import cache
from pathlib import Path

from infra.local_system.settings import ROOT

BASELINE = "071a447"


@cache
def baseline() -> Path | None:
    """The folder with that commit's files, in build/; None where git does not know it."""
    return baseline_in(ROOT)


def baseline_in(clone: Path) -> Path | None:
    """Take the files out of a clone's history, once."""
    root = clone / "build" / "bench" / BASELINE
    if (root / "relay").is_dir():
        return root
    packed = subprocess.run(
        ["git", "archive", BASELINE],  # noqa: S607 (git is where the clone's is)
        cwd=clone,
        capture_output=True,
        check=False,
    )
    if packed.returncode:
        return None
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(root, filter="data")
    return root
