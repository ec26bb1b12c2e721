"""Places that are written to are refused at start, by the name of their setting."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.errors import Misconfigured
from runtime.paths import require_private_folder, require_writable_file

Require = Callable[[Path, str], None]


@pytest.mark.parametrize("require", [require_private_folder, require_writable_file])
@pytest.mark.parametrize("place", ["/dev/null/x", "{}/file/x", "{}/" + "x" * 300])
def test_a_place_that_cannot_be_is_refused(require: Require, place: str, tmp_path: Path) -> None:
    """With the variable, the place, the reason and what to do."""
    (tmp_path / "file").touch()
    path = Path(place.format(tmp_path))
    with pytest.raises(Misconfigured, match=r"^NAME: .* cannot be written .*: set NAME to a place"):
        require(path, "NAME")


def test_what_another_user_left_in_a_folder_is_refused(tmp_path: Path) -> None:
    """As after `sudo make up`. Root may write everything, so the refusal needs another user."""
    (tmp_path / "mongod").mkdir(mode=0o500)
    if os.geteuid() == 0:
        require_private_folder(tmp_path, "NAME")
        return
    with pytest.raises(Misconfigured, match="mongod cannot be written"):
        require_private_folder(tmp_path, "NAME")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """A file's line cannot be appended to it."""
    with pytest.raises(Misconfigured, match="it is a folder"):
        require_writable_file(tmp_path, "NAME")


def test_what_can_be_written_is_made_or_left_alone(tmp_path: Path) -> None:
    """A folder is made; a file is not, and may be there with what it has."""
    require_private_folder(tmp_path / "a" / "b", "NAME")
    assert (tmp_path / "a" / "b").is_dir()
    require_writable_file(tmp_path / "c" / "d", "NAME")
    assert not (tmp_path / "c").exists()
    (tmp_path / "file").write_text("kept")
    require_writable_file(tmp_path / "file", "NAME")
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("mode", [None, 0o755, 0o777, 0o2775, 0o700])
def test_a_folder_of_state_is_its_owners_alone(tmp_path: Path, mode: int | None) -> None:
    """Whether it is made, or was there for everybody to read."""
    folder = tmp_path / "state"
    if mode is not None:
        folder.mkdir()
        folder.chmod(mode)
    require_private_folder(folder, "NAME")
    assert stat.S_IMODE(folder.stat().st_mode) & 0o777 == 0o700


def test_a_folder_for_every_user_is_not_closed(tmp_path: Path) -> None:
    """As /tmp is: everybody's programs would stop."""
    tmp_path.chmod(0o1777)
    with pytest.raises(Misconfigured, match=r"NAME: .* for the files of every user"):
        require_private_folder(tmp_path, "NAME")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777
