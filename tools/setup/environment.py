""".venv: made, filled from a lock, and stamped with what it was filled from.

Two sets share it: `local`, what running the system needs, and `full`, everything. Where the full
set is, or was, installed, the local one removes nothing: a test may be using it.
"""

import argparse
import fcntl
import hashlib
import io
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tools.setup.machine import mongod_note
from tools.setup.refusals import NO_VENV, CannotSetUp, Unreachable, refusal_of
from tools.setup.uv import Say, Tools, output

SET_UP_REFUSED = 2
"""The exit code."""

UNFINISHED = "unfinished\n"
"""In a stamp: a run began to install and did not come to its end."""


@dataclass(frozen=True)
class PackageSet:
    """`megabytes` are downloaded where no cache has them: Linux x86-64 on 2026-11-30."""

    name: str
    lock: Path
    holds: str
    megabytes: int

    def count(self, root: Path) -> int:
        """The packages that the lock names, for all platforms together."""
        return sum(line[:1].isalnum() for line in (root / self.lock).read_text().splitlines())


LOCAL = PackageSet("local", Path("requirements-local.lock"), "what running needs", 100)
FULL = PackageSet("full", Path("requirements-dev.lock"), "everything for tests and checks", 450)
SETS = {each.name: each for each in (LOCAL, FULL)}


def run(arguments: Sequence[str]) -> int:
    """Set up what the command line asks for; the exit code."""
    parser = argparse.ArgumentParser("python3 -m tools.setup")
    parser.add_argument("wanted", choices=SETS)
    parser.add_argument("--then", default="", help="what make runs next")
    parser.add_argument(
        "--this-python", action="store_true", help="make .venv again if another Python made it"
    )
    asked = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a path may have what a terminal cannot show
    environment = VirtualEnvironment(Path.cwd(), os.environ, _say)
    try:
        environment.set_up(SETS[asked.wanted], then=asked.then, insists_on_python=asked.this_python)
    except CannotSetUp as error:
        why = str(error)
    except OSError as error:
        why = str(refusal_of(error))
    except KeyboardInterrupt:
        why = "interrupted; the next make begins it again"
    else:
        return 0
    sys.stderr.write(f"set-up: {why}\n")
    return SET_UP_REFUSED


@dataclass(frozen=True)
class VirtualEnvironment:
    """The .venv of a repository."""

    root: Path
    env: Mapping[str, str]
    say: Say

    def set_up(
        self, wanted: PackageSet, *, then: str = "", insists_on_python: bool = False
    ) -> None:
        """Have the set installed as its lock has it now. Raises CannotSetUp, OSError."""
        with self._alone():
            this = f"{sys.version_info.major}.{sys.version_info.minor}"
            if insists_on_python and self._python_version() not in {None, this}:
                self._make("another Python was asked for: ")
            if self._is_up_to_date(wanted):
                self._stamp(wanted)
                return
            started = time.monotonic()
            if note := mongod_note(self.env):
                self.say(note)
            tools = self._tools()
            if self._is_unfinished():
                self._make("an earlier set-up was interrupted: ")
            elif not self._python_version() or not tools.has_pip():
                self._make("")
            self._install(wanted, tools)
            self._stamp(wanted)
            seconds = time.monotonic() - started
            self.say(f"done in {seconds:.0f} s" + (f"; next: make {then}" if then else ""))

    @property
    def _folder(self) -> Path:
        return self.root / ".venv"

    def _tools(self) -> Tools:
        return Tools(self.root, self._folder / "bin" / "python", self.env, self.say)

    def _make(self, why: str) -> None:
        """Make an empty environment; what was there is gone."""
        if not all(map(find_spec, ("venv", "ensurepip"))):
            raise CannotSetUp(NO_VENV)
        if self._folder.is_symlink():
            raise CannotSetUp(
                f".venv is a link to {self._folder.readlink()}, which cannot be used: remove the"
                " link, then make again"
            )
        again = " again" if self._folder.exists() else ""
        self.say(f"{why}making .venv{again} with Python {sys.version.split()[0]}")
        self._tools().run("venv", sys.executable, "-m", "venv", "--clear", str(self._folder))

    def _install(self, wanted: PackageSet, tools: Tools) -> None:
        """Fill it. Until that is done the stamp says so, and make believes no stamp."""
        stamp = self._stamp_of(wanted)
        is_new = not any(map(self._holds, SETS.values()))
        before = self._stamped(wanted)
        for each in filter(self._holds, SETS.values()):
            _make_old(self._stamp_of(each))
        stamp.write_text(UNFINISHED)
        _make_old(stamp)
        try:
            uv = tools.uv()
            # Compiled, because the system's processes would compile the same modules at once; the
            # rest is compiled when it is used.
            for each in [LOCAL, FULL] if wanted is FULL and is_new else [wanted]:
                count = each.count(self.root)
                self.say(
                    f"installing {each.holds}: {count} packages, at most {each.megabytes} MB to"
                    f" download{', then compiled' if each is LOCAL else ''}"
                )
                keeps = each is LOCAL and self._holds(FULL)
                tools.install(uv, each.lock, keeps=keeps, compiles=each is LOCAL)
        except Unreachable:
            # Nothing was touched: what was there can go on being used.
            stamp.unlink()
            if before is not None:
                stamp.write_text(before)
                _make_old(stamp)
            raise

    def _holds(self, each: PackageSet) -> bool:
        """Whether the set was installed here, if from an older lock."""
        return self._stamp_of(each).exists()

    def _is_up_to_date(self, wanted: PackageSet) -> bool:
        return self._stamped(wanted) == self._contents(wanted) and not self._is_unfinished()

    def _is_unfinished(self) -> bool:
        return UNFINISHED in map(self._stamped, SETS.values())

    def _stamped(self, each: PackageSet) -> str | None:
        """What its stamp says; None where there is none."""
        return self._stamp_of(each).read_text() if self._holds(each) else None

    def _stamp(self, installed: PackageSet) -> None:
        """Say what .venv holds; the full set holds the local one too."""
        for each in SETS.values() if installed is FULL else [installed]:
            self._stamp_of(each).write_text(self._contents(each))

    def _stamp_of(self, each: PackageSet) -> Path:
        return self._folder / f"{each.name}.installed"

    def _contents(self, each: PackageSet) -> str:
        digest = hashlib.sha256((self.root / each.lock).read_bytes()).hexdigest()
        return f"{each.lock} sha256:{digest} Python {self._python_version()}\n"

    def _python_version(self) -> str | None:
        """3.11, of .venv; None where there is none that runs and is its own."""
        python = self._folder / "bin" / "python"
        asks = "import sys; print('%d.%d' % sys.version_info[:2], sys.prefix != sys.base_prefix)"
        env = {name: value for name, value in self.env.items() if name != "PYTHONHOME"}
        said = output([str(python), "-I", "-c", asks], env) or ""
        version, _, is_venv = said.strip().partition(" ")
        return version if is_venv == "True" else None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One set-up at a time; the kernel takes the lock back from one that dies."""
        path = self.root / "build" / "setup.lock"
        path.parent.mkdir(exist_ok=True)
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.say("another make installs into .venv: waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _make_old(stamp: Path) -> None:
    """Have make look again before it uses what the stamp is for."""
    os.utime(stamp, (0, 0))


def _say(line: str) -> None:
    sys.stdout.write(f"set-up: {line}\n")
    sys.stdout.flush()
