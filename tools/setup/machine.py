"""What the wheel's mongod links against, looked for before anything is downloaded."""

import ctypes
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping

from tools.setup.refusals import LibraryMissing, how_to_install

LIBRARIES = {
    "libcurl.so.4": ("libcurl4", "libcurl"),
    "libssl.so.3": ("libssl3", "openssl-libs"),
}
"""What a minimal system lacks of `ldd mongod`, and the packages of Debian and Fedora."""

WHEELS = {"linux": {"x86_64", "aarch64"}, "darwin": {"x86_64", "arm64"}}
"""By platform, the machines that a wheel with mongod exists for."""


def refuse_without_libraries(
    env: Mapping[str, str], *, loads: Callable[[str], bool] | None = None
) -> None:
    """Raises LibraryMissing where the wheel's mongod would not start, and no other is there."""
    if sys.platform != "linux" or has_mongod(env):
        return
    loads = loads or can_load
    if missing := [name for name in LIBRARIES if not loads(name)]:
        raise LibraryMissing(missing, how_to_install([LIBRARIES[name] for name in missing]))


def has_mongod(env: Mapping[str, str]) -> bool:
    """Whether MONGOD or PATH has one, which is taken before the wheel's."""
    return bool(env.get("MONGOD") or shutil.which("mongod", path=env.get("PATH", os.defpath)))


def mongod_note(
    env: Mapping[str, str], *, system: str = sys.platform, machine: str | None = None
) -> Iterable[str]:
    """The sentence for a machine that no wheel with mongod exists for; mostly none."""
    machine = machine or platform.machine()
    if machine not in WHEELS.get(system, ()) and not has_mongod(env):
        yield (
            f"there is no wheel with mongod for {system} on {machine}: put a mongod 6 or newer on"
            " PATH, or set MONGOD=/path/to/mongod"
        )


def can_load(name: str) -> bool:
    """Whether the dynamic linker finds a library."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
