"""Why set-up ends without an environment: each is one sentence, with what to do.

CannotSetUp
├── Unreachable        nothing was installed: the package index did not answer
├── NothingPublished   the index has no such file, or none for this machine
├── NotWhatIsLocked    what came has another hash than the lock
├── NoSpace            the disk is full
├── NotWritable        a folder cannot be written
├── NoVenv             this Python cannot make an environment
├── LibraryMissing     mongod would not start
└── Failed             anything else, with its last line
"""

import errno
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

LOG = Path("build/setup.log")
"""What pip and uv said last, in full; relative to the repository."""


class CannotSetUp(Exception):
    """Root of this family."""


class Unreachable(CannotSetUp):
    def __init__(self, tool: str, reason: str) -> None:
        super().__init__(
            f"{tool} could not reach the package index ({reason}): look at the network and the"
            " proxy (HTTPS_PROXY), or name another index with PIP_INDEX_URL, then make again"
        )


class NothingPublished(CannotSetUp):
    def __init__(self, tool: str, reason: str) -> None:
        super().__init__(
            f"{tool} found no wheel for this machine and this Python ({reason}): use Python 3.11 to"
            " 3.13 on Linux or macOS, x86-64 or Arm (make PYTHON=python3.12), and an index that has"
            " all of PyPI"
        )


class NotWhatIsLocked(CannotSetUp):
    def __init__(self, tool: str) -> None:
        super().__init__(
            f"{tool} got a file with another hash than the lock has: name an index that serves"
            " PyPI's own files with PIP_INDEX_URL, then make again"
        )


class NoSpace(CannotSetUp):
    def __init__(self) -> None:
        super().__init__(
            "there is no space left on the disk: the repository and uv's cache need 1 GB to run the"
            " system and 3 GB for the tests; make room (uv cache clean), then make again"
        )


class NotWritable(CannotSetUp):
    def __init__(self, reason: str) -> None:
        super().__init__(
            f"a folder cannot be written ({reason}): make it writable, or name another one for uv's"
            " cache with UV_CACHE_DIR, then make again"
        )


class NoVenv(CannotSetUp):
    def __init__(self, version: Sequence[int]) -> None:
        super().__init__(
            "this Python cannot make an environment, it lacks venv or ensurepip: on Debian and"
            f" Ubuntu sudo apt-get install python{version[0]}.{version[1]}-venv, then make again"
        )


class LibraryMissing(CannotSetUp):
    def __init__(self, libraries: Sequence[str], remedy: str) -> None:
        super().__init__(
            f"mongod needs {' and '.join(libraries)}, which this machine does not have: {remedy},"
            " or set MONGOD=/path/to/mongod, then make again"
        )


class Failed(CannotSetUp):
    def __init__(self, tool: str, reason: str) -> None:
        super().__init__(f"{tool} failed: {reason} ({LOG} has all that it said)")


NO_SPACE = r"no space left|os error 28\b|errno 28\b|disk quota exceeded|os error 122\b"
NOT_WRITABLE = (
    r"read-only file system|permission denied|operation not permitted|os error (13|30|1)\b"
)
NO_VENV = r"ensurepip is not available|no module named '?(ensurepip|venv)"
WRONG_HASH = r"hash mismatch|do not match the hashes"
NO_ANSWER = (
    r"error sending request|dns error|failed to (fetch|download)|request failed|timed out"
    r"|connect(ion)? ?(refused|reset|error)|newconnectionerror|proxyerror|sslerror|certificate"
    r"|name resolution|name or service|network (is )?(unreachable|connectivity)"
)
NOTHING_KNOWN = r"from versions: none"
NO_WHEEL = (
    r"no matching distribution|no (usable |compatible )?wheel|not found in the package registry"
    r"|there is no version|no solution found|could not find a version"
)
SHOWN_CHARACTERS = 200
"""Characters of a tool's line in a sentence."""


def refusal(tool: str, lines: Iterable[str]) -> CannotSetUp:
    """What a tool's output says about why it failed."""
    said = [line.strip() for line in lines if line.strip()]
    means: dict[str, Callable[[str], CannotSetUp]] = {
        # In this order: a full disk, for one, is a failed download too.
        NO_SPACE: lambda _: NoSpace(),
        NOT_WRITABLE: NotWritable,
        NO_VENV: lambda _: NoVenv(sys.version_info[:2]),
        WRONG_HASH: lambda _: NotWhatIsLocked(tool),
        NO_ANSWER: lambda line: Unreachable(tool, line),
        NOTHING_KNOWN: lambda _: Unreachable(
            tool, "it did not answer, or it knows no such package"
        ),
        NO_WHEEL: lambda line: NothingPublished(tool, line),
    }
    for pattern, refuse in means.items():
        for line in reversed(said):
            if re.search(pattern, line, re.IGNORECASE):
                return refuse(_short(line))
    return Failed(tool, _short(said[-1]) if said else "it said nothing")


def refusal_of(error: OSError) -> CannotSetUp:
    """What an error of the file system, or of a program that does not start, means here."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return NoSpace()
    where = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return NotWritable(where)
    return Failed("set-up", where)


def how_to_install(packages: Sequence[tuple[str, str]]) -> str:
    """The command of this machine's package manager, for (Debian's, Fedora's) names."""
    debian, fedora = zip(*packages, strict=True)
    if shutil.which("apt-get"):
        return f"sudo apt-get install {' '.join(debian)}"
    if shutil.which("dnf"):
        return f"sudo dnf install {' '.join(fedora)}"
    return f"install {' and '.join(debian)}"


def _short(line: str) -> str:
    """What a line says without its introduction, an object's address or too much of it."""
    line = re.sub(r"<[^>]*>:? ?", "", line)
    if broken := re.search(r"broken by '\w+\(['\"]*(?P<why>[^'\"]+)", line):
        line = broken["why"]
    plain = re.sub(r"^(error|cause|caused by|warning|\W)+", "", line, flags=re.IGNORECASE)
    return plain if len(plain) <= SHOWN_CHARACTERS else plain[: SHOWN_CHARACTERS - 1] + "…"
