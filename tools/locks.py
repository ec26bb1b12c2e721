"""Pins the dependencies: `python -m tools.locks` writes the locks; --check says what would change.

One resolution decides, that of everything; the smaller locks are parts of it, but for LocalStack's
and aiobotocore's, whose environments are their own. Each is for Python 3.11 and newer on the
platforms of pyproject.toml's `required-environments`, has wheels alone (LocalStack's has some that
have none), and names no index.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.local_system.settings import ROOT
from tools.setup.uv import only_wheels

FULL_LOCK = "requirements-dev.lock"
LOCALSTACK_LOCK = "requirements-localstack.lock"
AIOBOTOCORE_LOCK = "requirements-aiobotocore.lock"
LOCKS = {
    FULL_LOCK: ("pyproject.toml", "--group", "dev"),
    "requirements-local.lock": ("pyproject.toml", "--group", "local"),
    "requirements.lock": ("pyproject.toml",),
    "requirements-uv.lock": ("--group", "uv"),
    LOCALSTACK_LOCK: ("--group", "localstack"),
    AIOBOTOCORE_LOCK: ("--group", "aiobotocore"),
}
"""By lock, what goes into it: the first before the others, which are held to it."""

APART = {FULL_LOCK, LOCALSTACK_LOCK, AIOBOTOCORE_LOCK}
"""What is held to no other: LocalStack and aiobotocore have pins that clash, and so environments of
their own."""

BUILT = {
    LOCALSTACK_LOCK: ("airspeed-ext", "crontab", "jsonpath-rw", "tailer", "twisted-iocpsupport")
}
"""By lock, what is built where it is installed, because no wheel exists. The last is Windows'."""

OPTIONS = (
    *("--quiet", "--upgrade", "--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-strip-extras", "--no-emit-index-url"),
)
NEWEST = "python_full_version < '3.15'"
PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)(\[[^]]*\])?==([^\s;]+)(.*?)\s*\\?$", re.MULTILINE)
"""A requirement: name, extras, version, and the marker with its semicolon."""


def main() -> int:
    parser = argparse.ArgumentParser("python -m tools.locks")
    parser.add_argument("--check", action="store_true", help="say what would change")
    checks = parser.parse_args().check
    with TemporaryDirectory() as folder:
        written = {name: written_to(Path(folder), name) for name in LOCKS}
        changes = [
            f"{name}: {change}"
            for name, path in written.items()
            for change in changed((ROOT / name).read_text(), path.read_text())
        ]
        if not checks:
            for name, path in written.items():
                shutil.copyfile(path, ROOT / name)
    sys.stdout.writelines(f"{change}\n" for change in changes or ["nothing changes"])
    return 0


def written_to(folder: Path, name: str) -> Path:
    """The lock as it would be now, in a folder that has those before it."""
    target = folder / name
    shutil.copyfile(ROOT / name, target)
    held = () if name in APART else ("--constraints", str(folder / FULL_LOCK))
    wheels = only_wheels(*BUILT.get(name, ()))
    uv = str(Path(sys.executable).with_name("uv"))
    into = ("--output-file", str(target))
    subprocess.run(
        [uv, "pip", "compile", *OPTIONS, *wheels, *held, *LOCKS[name], *into],
        cwd=ROOT,
        env={**os.environ, "UV_CUSTOM_COMPILE_COMMAND": "make lock"},
        check=True,
    )
    text = unbounded(target.read_text()).replace(str(folder / FULL_LOCK), FULL_LOCK)
    target.write_text(text)
    return target


def unbounded(lock: str) -> str:
    """Without the upper end of pyproject.toml's `environments`, which uv repeats in each marker.

    On a newer Python the whole lock would be empty; so it is tried, and a missing wheel named.
    """
    for bound in (f"{NEWEST} and ", f" and {NEWEST}", f" ; {NEWEST}"):
        lock = lock.replace(bound, "")
    return lock


def changed(before: str, after: str) -> list[str]:
    """What a person wants to know of two locks: `boto3 1.43.106 -> 1.43.107`."""
    old, new = versions(before), versions(after)
    differing = sorted(name for name in old | new if old.get(name) != new.get(name))
    return [f"{name} {_all(old.get(name))} -> {_all(new.get(name))}" for name in differing]


def _all(versions_of_one: set[str] | None) -> str:
    return " and ".join(sorted(versions_of_one or {"nothing"}))


def versions(lock: str) -> dict[str, set[str]]:
    """By package, its versions with their markers, which may be several."""
    found: dict[str, set[str]] = {}
    for name, extras, version, marker in PINNED.findall(lock):
        found.setdefault(f"{name}{extras}", set()).add(f"{version}{marker.rstrip()}")
    return found


if __name__ == "__main__":
    sys.exit(main())
