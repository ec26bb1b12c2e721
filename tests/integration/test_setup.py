"""`make` fills .venv: with the real make, venv, pip and uv, from an index that is a folder."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.wheels import a_wheel

ROOT = Path(__file__).parent.parent.parent
UV = Path(sys.executable).with_name("uv")
WITHIN = 250
"""Seconds for one `make`; it takes 2, and with a new .venv 5."""


@dataclass(frozen=True)
class Clone:
    """A repository with our Makefile and three packages: `ours` and `theirs` make the full set."""

    folder: Path
    env: Mapping[str, str]

    def program(self, name: str) -> Path:
        """Where PATH looks first for it."""
        return Path(self.env["PATH"].split(":")[0]) / name

    def make(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", *arguments],
            cwd=self.folder,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=WITHIN,
            check=False,
        )

    def made(self, *arguments: str, **env: str) -> str:
        done = self.make(*arguments, **env)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refused(self, *arguments: str, **env: str) -> str:
        """The one sentence of set-up on stderr; make adds a line of its own."""
        done = self.make(*arguments, **env)
        assert done.returncode == 2, done.stdout + done.stderr
        (sentence,) = (each for each in done.stderr.splitlines() if not each.startswith("make"))
        assert sentence.startswith("set-up: ")
        return sentence

    def locks(self, *, ours: str = "1.0", theirs: str = "1.0") -> None:
        """Write the two locks, with the versions that are wanted."""
        wheels = self.folder / "wheels"
        local = a_wheel(wheels, "ours", ours)
        (self.folder / "requirements-local.lock").write_text(local)
        (self.folder / "requirements-dev.lock").write_text(
            local + a_wheel(wheels, "theirs", theirs)
        )

    def installed(self, venv: str = ".venv") -> dict[str, str]:
        """The versions of our packages there."""
        found = (self.folder / venv).glob("lib/python*/site-packages/*.dist-info")
        pairs = (each.name.removesuffix(".dist-info").split("-") for each in found)
        return {name: version for name, version in pairs if name in {"ours", "theirs", "uv"}}


@pytest.fixture(scope="module")
def a_venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that was just made, which takes seconds: to copy."""
    folder = tmp_path_factory.mktemp("made") / ".venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder


def copy(venv: Path, to: Path) -> None:
    """By hard links, of its thousand files: pip and uv replace a file, and write into none."""
    shutil.copytree(venv, to, symlinks=True, copy_function=os.link)


@pytest.fixture
def empty(tmp_path: Path) -> Clone:
    """A fresh clone, on a machine with python3 and make, and without uv."""
    folder, programs, home = (tmp_path / name for name in ("clone", "programs", "home"))
    for each in (folder, programs, home, folder / "wheels"):
        each.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "tools").symlink_to(ROOT / "tools")
    (programs / "python3").symlink_to(getattr(sys, "_base_executable", sys.executable))
    uv = {"uv": f'#!/bin/sh\nexec {UV} "$@"\n'}
    version = re.search(r"^uv==(\S+)", (ROOT / "requirements-uv.lock").read_text(), re.MULTILINE)
    assert version is not None
    lock = a_wheel(folder / "wheels", "uv", version[1], uv)
    (folder / "requirements-uv.lock").write_text(lock)
    clone = Clone(
        folder,
        {
            "PATH": f"{programs}:/usr/bin:/bin",
            "HOME": str(home),
            "MONGOD": "/bin/true",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": f"{folder / 'wheels'} {tmp_path / 'missing'}",
        },
    )
    clone.locks()
    return clone


@pytest.fixture
def clone(empty: Clone, a_venv: Path) -> Clone:
    """One with a .venv that holds pip, and nothing else yet; uv is on PATH."""
    copy(a_venv, empty.folder / ".venv")
    empty.program("uv").symlink_to(UV)
    return empty


def test_a_fresh_clone_is_set_up_by_pip_and_uv(empty: Clone) -> None:
    """It says what is fetched, how much it is and what comes next; the second time is silent."""
    said = empty.made(".venv/local.installed")
    assert re.search(r"fetching uv \S+, .* with pip \S+ \(\d+ MB\)", said)
    assert "1 packages, at most" in said
    assert "next: make .venv/local.installed" in said
    assert empty.installed().keys() == {"ours", "uv"}
    assert "set-up" not in empty.made(".venv/local.installed")


def test_a_uv_on_path_is_used(clone: Clone) -> None:
    """Of the locked version or newer; then none is fetched."""
    assert "fetching uv" not in clone.made(".venv/local.installed")
    assert clone.installed().keys() == {"ours"}


def test_an_older_uv_on_path_is_not_used(clone: Clone) -> None:
    """What it would do with our options is not known."""
    old = clone.program("uv")
    old.unlink()
    old.write_text("#!/bin/sh\necho uv 0.4.30\n")
    old.chmod(0o755)
    assert "fetching uv" in clone.made(".venv/local.installed")


def test_another_environment_that_the_shell_names_stays_untouched(
    clone: Clone, a_venv: Path
) -> None:
    """uv alone would fill what VIRTUAL_ENV or CONDA_PREFIX names."""
    copy(a_venv, clone.folder / "other")
    before = sorted((clone.folder / "other").rglob("*"))
    other = str(clone.folder / "other")
    clone.made("setup", VIRTUAL_ENV=other, CONDA_PREFIX=other, PIP_TARGET=other, PIP_USER="1")
    assert clone.installed().keys() == {"ours", "theirs"}
    assert sorted((clone.folder / "other").rglob("*")) == before


def test_what_running_needs_removes_nothing_of_the_full_set(clone: Clone) -> None:
    """Nor does it when the locks have changed: a test may be running."""
    clone.made("setup")
    assert "set-up" not in clone.made(".venv/local.installed")
    clone.locks(ours="2.0", theirs="2.0")
    clone.made(".venv/local.installed")
    assert clone.installed() == {"ours": "2.0", "theirs": "1.0"}
    clone.made("setup")
    assert clone.installed() == {"ours": "2.0", "theirs": "2.0"}


def test_what_left_the_lock_is_removed(clone: Clone) -> None:
    """An environment is what its lock says, and no more."""
    clone.made("setup")
    shutil.copy(clone.folder / "requirements-local.lock", clone.folder / "requirements-dev.lock")
    clone.made("setup")
    assert clone.installed().keys() == {"ours"}


@pytest.mark.parametrize("left", ["unfinished", "no pip", "no python"])
def test_an_interrupted_set_up_is_made_again(clone: Clone, left: str) -> None:
    """Killed while uv installs, while pip is unpacked, or when Python itself has gone."""
    clone.made("setup")
    venv = clone.folder / ".venv"
    match left:
        case "unfinished":
            (venv / "full.installed").write_text("unfinished\n")
            os.utime(venv / "full.installed", (0, 0))
            shutil.rmtree(next(venv.glob("lib/python*/site-packages/theirs-*")))
        case "no pip":
            (venv / "local.installed").unlink()
            (venv / "full.installed").unlink()
            shutil.rmtree(next(venv.glob("lib/python*/site-packages/pip")))
        case _:
            (venv / "bin" / "python").unlink()
            (venv / "bin" / "python").symlink_to(clone.folder / "gone")
    assert "making .venv again" in clone.made("setup")
    assert clone.installed().keys() == {"ours", "theirs"}


def test_a_killed_install_leaves_a_mark(clone: Clone) -> None:
    """The next make knows that what it finds is not whole."""
    uv = clone.program("uv")
    uv.unlink()
    uv.write_text(f'#!/bin/sh\n[ "$1" = pip ] || exec {UV} "$@"\nkill -9 $PPID $$\n')
    uv.chmod(0o755)
    assert clone.make(".venv/local.installed").returncode == 2
    uv.unlink()
    uv.symlink_to(UV)
    assert "was interrupted" in clone.made(".venv/local.installed")


def test_without_a_network_it_is_one_sentence_and_what_was_there_stays(clone: Clone) -> None:
    """The full set goes on being the full set, with the older versions."""
    clone.made("setup")
    clone.locks(ours="2.0", theirs="2.0")
    nowhere = {"PIP_NO_INDEX": "", "PIP_FIND_LINKS": "", "PIP_INDEX_URL": "http://127.0.0.1:9/x"}
    sentence = clone.refused("setup", **nowhere, UV_HTTP_RETRIES="0")
    assert "could not reach the package index" in sentence
    assert clone.installed() == {"ours": "1.0", "theirs": "1.0"}
    assert "making .venv" not in clone.made("setup")


def test_a_file_with_another_hash_is_refused(clone: Clone) -> None:
    """Whatever the index serves, what is installed is what was locked."""
    lock = clone.folder / "requirements-local.lock"
    lock.write_text(lock.read_text()[:-5] + "0000\n")
    assert "another hash than the lock" in clone.refused(".venv/local.installed")
    assert "ours" not in clone.installed()


def test_a_source_package_is_refused(clone: Clone) -> None:
    """To build one resolves what the build needs, without hashes."""
    wheels = clone.folder / "wheels"
    source = wheels / "ours-1.0.tar.gz"
    (wheels / "ours-1.0-py3-none-any.whl").rename(source)
    lock = clone.folder / "requirements-local.lock"
    lock.write_text(f"ours==1.0 --hash=sha256:{hashlib.sha256(source.read_bytes()).hexdigest()}\n")
    assert "found no wheel" in clone.refused(".venv/local.installed")


def test_a_cache_that_cannot_be_written_is_replaced_or_named(clone: Clone) -> None:
    """A read-only home has one of ours instead; a folder that was named is an error."""
    taken = clone.folder / "file"
    taken.write_text("")
    assert "cannot be written: the cache is build/uv-cache" in clone.made(
        ".venv/local.installed", XDG_CACHE_HOME=str(taken)
    )
    shutil.rmtree(clone.folder / ".venv")
    sentence = clone.refused(".venv/local.installed", UV_CACHE_DIR=str(taken))
    assert f"UV_CACHE_DIR={taken}" in sentence


def test_a_python_that_is_not_there_is_one_sentence(empty: Clone) -> None:
    """With how to name another."""
    sentence = empty.refused("setup", "PYTHON=python9")
    assert "python9 was not found" in sentence
    assert "make PYTHON=" in sentence


def test_two_at_once_wait_for_each_other(clone: Clone) -> None:
    """`make demo` beside `make test` in a fresh clone: one installs, the other goes on after it."""
    both = [
        subprocess.Popen(
            ["make", target], cwd=clone.folder, env=clone.env, stdout=subprocess.PIPE, text=True
        )
        for target in ("setup", ".venv/local.installed")
    ]
    said = [each.communicate(timeout=WITHIN)[0] for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    assert clone.installed().keys() == {"ours", "theirs"}
