"""What the wheel's mongod links against, looked for before anything is downloaded."""

import ctypes
import os
import platform
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence

from tools.setup.refusals import CannotSetUp

LIBRARIES = {
    "libcurl.so.4": ("libcurl4", "libcurl"),
    "libssl.so.3": ("libssl3", "openssl-libs"),
}
"""What a minimal system lacks of `ldd mongod`, and the packages of Debian and Fedora."""

WHEELS = {"linux": {"x86_64", "aarch64"}, "darwin": {"x86_64", "arm64"}}
"""By platform, the machines that a wheel with mongod exists for."""


def can_load(name: str) -> bool:
    """Whether the dynamic linker finds a library."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def mongod_note(
    env: Mapping[str, str],
    *,
    system: str = sys.platform,
    machine: str | None = None,
    loads: Callable[[str], bool] = can_load,
) -> str | None:
    """The sentence for a machine that no wheel with mongod exists for; mostly none.

    A mongod that MONGOD or PATH has is taken before the wheel's. Raises CannotSetUp where there is
    none, and the wheel's would not start.
    """
    if env.get("MONGOD") or shutil.which("mongod", path=env.get("PATH", os.defpath)):
        return None
    missing = [name for name in LIBRARIES if system == "linux" and not loads(name)]
    if missing:
        raise CannotSetUp(
            f"mongod needs {' and '.join(missing)}, which this machine does not have:"
            f" {_how_to_install([LIBRARIES[name] for name in missing])},"
            " or set MONGOD=/path/to/mongod, then make again"
        )
    machine = machine or platform.machine()
    if machine in WHEELS.get(system, ()):
        return None
    return (
        f"there is no wheel with mongod for {system} on {machine}: put a mongod 6 or newer on"
        " PATH, or set MONGOD=/path/to/mongod"
    )


def _how_to_install(packages: Sequence[tuple[str, str]]) -> str:
    """The command of this machine's package manager, for (Debian's, Fedora's) names."""
    debian, fedora = zip(*packages, strict=True)
    if shutil.which("apt-get"):
        return f"sudo apt-get install {' '.join(debian)}"
    if shutil.which("dnf"):
        return f"sudo dnf install {' '.join(fedora)}"
    return f"install {' and '.join(debian)}"
