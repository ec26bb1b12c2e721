"""Places that a setting names and that are written to: refused at start, by the setting's name."""

import os
import stat
from pathlib import Path

from runtime.errors import Misconfigured

PRIVATE = stat.S_IRWXU
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Unwritable(Misconfigured):
    """`variable` names what cannot be written."""

    def __init__(self, variable: str, path: Path, reason: str) -> None:
        super().__init__(
            f"{variable}: {path} cannot be written ({reason}): set {variable} to a place of your"
            " own, or make this one yours"
        )


def require_private_folder(path: Path, variable: str) -> None:
    """Make the folder where it is missing, and let none but its owner in (mode 0700).

    Raises Unwritable for it, or for what is in it, and for one that every user writes to: /tmp is
    not ours to close.
    """
    try:
        path.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        mode = path.stat().st_mode
        if mode & stat.S_ISVTX:
            raise Unwritable(variable, path, "it is for the files of every user")
        if mode & OTHERS:
            path.chmod(PRIVATE)
        found = [path, *path.iterdir()]
    except OSError as error:
        raise Unwritable(variable, path, error.strerror or str(error)) from error
    for each in found:
        _require_access(each, variable)


def require_writable_file(path: Path, variable: str) -> None:
    """Refuse a file that could not be appended to; nothing is made. Raises Unwritable."""
    try:
        if path.is_dir():
            raise Unwritable(variable, path, "it is a folder")
        nearest = next(each for each in (path, *path.absolute().parents) if each.exists())
        if nearest != path and not nearest.is_dir():
            raise Unwritable(variable, path, f"{nearest} is no folder")
    except OSError as error:
        raise Unwritable(variable, path, error.strerror or str(error)) from error
    _require_access(nearest, variable)


def _require_access(path: Path, variable: str) -> None:
    wanted = os.W_OK | os.X_OK if path.is_dir() else os.W_OK
    if not os.access(path, wanted):
        raise Unwritable(variable, path, "no permission")
