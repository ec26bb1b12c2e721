"""DynamoDB Local itself: an npm package, fetched once for this checkout and checked by its hash."""

import base64
import fcntl
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.missing_tools import NODE, missing

PACKAGE, VERSION = "amplify-dynamodb-simulator", "2.9.30"
INTEGRITY = (
    "xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ=="
)
"""The registry's own: base64 of the archive's SHA-512."""

EMULATOR = "package/emulator/"
"""What we want of the package: DynamoDBLocal.jar, and a folder of libraries."""

CACHE = Path(__file__).parent.parent / "build"
FETCHED_WITHIN = 100
"""Seconds; 57 MB take a few."""


def dynamodb_local_folder() -> Path:
    """Where DynamoDBLocal.jar is; of all of pytest's workers the first one fetches it.

    Without npm the test is skipped. Raises AssertionError if the package cannot be fetched, or is
    not the one that we know.
    """
    folder = CACHE / f"dynamodb-local-{VERSION}"
    CACHE.mkdir(exist_ok=True)
    with _alone(CACHE / "dynamodb-local.lock"):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=CACHE, prefix="dynamodb-local-") as half_done:
                archive = _fetched(Path(half_done))
                unpacked = Path(half_done) / "unpacked"
                _unpack(archive, unpacked)
                unpacked.rename(folder)
    return folder


def _fetched(folder: Path) -> Path:
    beside_python = str(Path(sys.executable).parent)
    npm = shutil.which("npm", path=beside_python) or shutil.which("npm")
    if npm is None:
        missing(NODE)
    ended = subprocess.run(
        [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", str(folder)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=FETCHED_WITHIN,
        check=False,
    )
    assert ended.returncode == 0, f"npm did not fetch {PACKAGE}@{VERSION}: {ended.stdout}"
    archive = folder / f"{PACKAGE}-{VERSION}.tgz"
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    assert digest == INTEGRITY, f"{PACKAGE}@{VERSION} is not the archive that we know: {digest}"
    return archive


def _unpack(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as members:
        for member in members:
            content = members.extractfile(member) if member.name.startswith(EMULATOR) else None
            if content is not None:
                target = folder / member.name.removeprefix(EMULATOR)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Held by one process at a time; the kernel takes it back from one that dies."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
