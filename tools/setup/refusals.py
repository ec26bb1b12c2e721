"""Why set-up ends without an environment: each is one sentence, with what to do."""

import errno
import re
import sys
from collections.abc import Iterable
from pathlib import Path

LOG = Path("build/setup.log")
"""What pip and uv said last, in full; relative to the repository."""


class CannotSetUp(Exception):
    """Its text is the sentence."""


class Unreachable(CannotSetUp):
    """Nothing was installed: the package index did not answer."""


UNREACHABLE = (
    "{tool} could not reach the package index ({reason}): look at the network and the proxy"
    " (HTTPS_PROXY), or name another index with PIP_INDEX_URL, then make again"
)
SILENT = UNREACHABLE.replace("{reason}", "it did not answer, or it knows no such package")
NOTHING_PUBLISHED = (
    "{tool} found no wheel for this machine and this Python ({reason}): use Python 3.11 to 3.13 on"
    " Linux or macOS, x86-64 or Arm (make PYTHON=python3.12), and an index that has all of PyPI"
)
NOT_WHAT_IS_LOCKED = (
    "{tool} got a file with another hash than the lock has: name an index that serves PyPI's own"
    " files with PIP_INDEX_URL, then make again"
)
NO_SPACE = (
    "there is no space left on the disk: the repository and uv's cache need 1 GB to run the system"
    " and 3 GB for the tests; make room (uv cache clean), then make again"
)
NOT_WRITABLE = (
    "a folder cannot be written ({reason}): make it writable, or name another one for uv's cache"
    " with UV_CACHE_DIR, then make again"
)
NO_VENV = (
    "this Python cannot make an environment, it lacks venv or ensurepip: on Debian and Ubuntu sudo"
    f" apt-get install python{sys.version_info[0]}.{sys.version_info[1]}-venv, then make again"
)
TOOL_FAILED = f"{{tool}} failed: {{reason}} ({LOG} has all that it said)"

SENTENCES = {
    # In this order: a full disk, for one, is a failed download too.
    r"no space left|os error 28\b|errno 28\b|disk quota exceeded|os error 122\b": NO_SPACE,
    (
        r"read-only file system|permission denied|operation not permitted|os error (13|30|1)\b"
    ): NOT_WRITABLE,
    r"ensurepip is not available|no module named '?(ensurepip|venv)": NO_VENV,
    r"hash mismatch|do not match the hashes": NOT_WHAT_IS_LOCKED,
    (
        r"error sending request|dns error|failed to (fetch|download)|request failed|timed out"
        r"|connect(ion)? ?(refused|reset|error)|newconnectionerror|proxyerror|sslerror|certificate"
        r"|name resolution|name or service|network (is )?(unreachable|connectivity)"
    ): UNREACHABLE,
    r"from versions: none": SILENT,
    (
        r"no matching distribution|no (usable |compatible )?wheel|not found in the package registry"
        r"|there is no version|no solution found|could not find a version"
    ): NOTHING_PUBLISHED,
}
"""What a line of pip's or uv's says, and what that comes to."""

SHOWN_CHARACTERS = 200
"""Characters of a tool's line in a sentence."""


def refusal(tool: str, lines: Iterable[str]) -> CannotSetUp:
    """What a tool's output says about why it failed."""
    said = [line.strip() for line in lines if line.strip()]
    for pattern, sentence in SENTENCES.items():
        for line in reversed(said):
            if re.search(pattern, line, re.IGNORECASE):
                kind = Unreachable if sentence in {UNREACHABLE, SILENT} else CannotSetUp
                return kind(sentence.format(tool=tool, reason=_short(line)))
    last = _short(said[-1]) if said else "it said nothing"
    return CannotSetUp(TOOL_FAILED.format(tool=tool, reason=last))


def refusal_of(error: OSError) -> CannotSetUp:
    """What an error of the file system, or of a program that does not start, means here."""
    where = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return CannotSetUp(NO_SPACE)
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return CannotSetUp(NOT_WRITABLE.format(reason=where))
    return CannotSetUp(TOOL_FAILED.format(tool="set-up", reason=where))


def _short(line: str) -> str:
    """What a line says without its introduction, an object's address or too much of it."""
    line = re.sub(r"<[^>]*>:? ?", "", line)
    if broken := re.search(r"broken by '\w+\(['\"]*(?P<why>[^'\"]+)", line):
        line = broken["why"]
    plain = re.sub(r"^(error|cause|caused by|warning|\W)+", "", line, flags=re.IGNORECASE)
    return plain if len(plain) <= SHOWN_CHARACTERS else plain[: SHOWN_CHARACTERS - 1] + "…"
