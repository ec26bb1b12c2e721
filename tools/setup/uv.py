"""uv, which installs what the locks name: found on PATH or in .venv, else installed by pip."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.setup.pip_settings import configured, for_uv
from tools.setup.refusals import LOG, NOT_WRITABLE, CannotSetUp, refusal

LOCK = Path("requirements-uv.lock")
MEGABYTES = 24
"""Of the wheel, on Linux x86-64."""

ELSEWHERE = (
    *("VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "PYTHONHOME", "PYTHONPATH"),
    *("UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_TARGET", "UV_PREFIX", "UV_PROJECT_ENVIRONMENT"),
    *("UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE_NEWER", "UV_NO_BINARY", "UV_NO_VERIFY_HASHES"),
    *("UV_PROJECT", "UV_WORKING_DIR"),
    *("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_NO_BINARY", "PIP_DRY_RUN"),
    *("PIP_CONSTRAINT", "PIP_REQUIREMENT", "PIP_PYTHON"),
)
"""Variables that would have another environment filled, or this one with something else."""

NOISE = re.compile(
    r"^ ?[-+~] \S+==|^Using Python |^warning: Failed to hardlink|^\s+If the cache and target"
    r"|^hint: If the cache|^WARNING: Location '.*' is ignored|^\s*$"
)
"""Lines of a run that goes well which say nothing to a person who waits."""

FAILURE = re.compile(r"error|ERROR|WARNING: Retrying|\s*(?:cause|Caused by|hint)\b|\s*\W ")
"""Lines of a run that fails: it ends as one sentence."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Tools:
    """pip and uv for one environment. `python` is its interpreter."""

    root: Path
    python: Path
    env: Mapping[str, str]
    say: Say

    def has_pip(self) -> bool:
        """Whether pip runs; an interrupted `python -m venv` leaves one that does not."""
        return self._pip_config(self.python) is not None

    def uv(self) -> Path:
        """A uv of the locked version or newer. Raises CannotSetUp where pip cannot install it."""
        locked = version_of((self.root / LOCK).read_text())
        for each in (self.python.with_name("uv"), shutil.which("uv", path=self.env.get("PATH"))):
            if each is not None and self._version_of(each) >= locked:
                return Path(each)
        pip = (output([str(self.python), "-m", "pip", "--version"], self._clean()) or "pip").split()
        self.say(
            f"fetching uv {'.'.join(map(str, locked))}, which installs the rest, with"
            f" {' '.join(pip[:2])} ({MEGABYTES} MB)"
        )
        self.run(
            "pip",
            *(str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(LOCK)),
        )
        return self.python.with_name("uv")

    def install(
        self,
        uv: Path,
        lock: Path,
        *,
        keeps: bool = False,
        compiles: bool = False,
        builds: Sequence[str] = (),
    ) -> None:
        """Have exactly what the lock names; with `keeps`, at least that. Raises CannotSetUp.

        `builds` names what has no wheel: it is built by the packages of the same lock.
        """
        self.run(
            "uv",
            *(str(uv), "pip", *(("install", "--no-deps", "-r") if keeps else ("sync",)), str(lock)),
            *("--python", str(self.python), "--require-hashes", *only_wheels(*builds)),
            *(("--build-constraints", str(lock)) if builds else ()),
            *(("--compile-bytecode",) if compiles else ()),
            **self._for_uv(),
        )

    def run(self, tool: str, *argv: str, **settings: str) -> None:
        """Run to the end, passing on what shows progress. Raises CannotSetUp."""
        log = self.root / LOG
        log.parent.mkdir(exist_ok=True)
        said: list[str] = []
        with (
            log.open("w", encoding="utf-8") as file,
            subprocess.Popen(
                argv,
                cwd=self.root,
                env={**self._clean(), **settings},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            ) as child,
        ):
            try:
                for line in child.stdout or ():
                    file.write(line)
                    said.append(line.rstrip())
                    self._pass_on(line)
            except BaseException:
                child.terminate()
                raise
        if child.returncode:
            raise refusal(tool, said)

    def _pass_on(self, line: str) -> None:
        if line.startswith("WARNING: Retrying"):
            self.say("  the package index does not answer: trying again")
        elif not NOISE.search(line) and not FAILURE.match(line):
            self.say(f"  {line.strip()}")

    def _clean(self) -> dict[str, str]:
        kept = {name: value for name, value in self.env.items() if name not in ELSEWHERE}
        return {**kept, "PIP_USER": "0", "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}

    def _for_uv(self) -> dict[str, str]:
        listed = self._pip_config(self.python)
        if listed is None:
            listed = self._pip_config(sys.executable) or ""
        return {**for_uv(configured(listed.splitlines()), self.env), **self._cache()}

    def _pip_config(self, python: Path | str) -> str | None:
        return output([str(python), "-m", "pip", "config", "list"], self._clean())

    def _cache(self) -> dict[str, str]:
        """Where uv may keep what it downloads: one of our folders where the home is read-only."""
        named = self.env.get("UV_CACHE_DIR")
        home = self.env.get("XDG_CACHE_HOME") or str(Path(self.env.get("HOME", "/")) / ".cache")
        folder = self.root / named if named else Path(home) / "uv"
        if can_be_written(folder):
            return {}
        if named:
            raise CannotSetUp(NOT_WRITABLE.format(reason=f"UV_CACHE_DIR={named}"))
        self.say(f"{folder} cannot be written: the cache is build/uv-cache this time")
        return {"UV_CACHE_DIR": str(self.root / "build" / "uv-cache")}

    def _version_of(self, uv: Path | str) -> tuple[int, ...]:
        return version_of(output([str(uv), "--version"], self._clean()) or "")


def only_wheels(*but: str) -> list[str]:
    """The options by which uv builds nothing, or nothing but what is named."""
    built = [option for name in but for option in ("--no-binary", name)]
    return ["--only-binary", ":all:", *built]


def version_of(text: str) -> tuple[int, ...]:
    """(0, 13, 9) of `uv==0.13.9 …` and of `uv 0.13.9 (…)`; () where there is none."""
    found = re.search(r"^uv(?:==| )(\d+(?:\.\d+)*)", text, re.MULTILINE)
    return tuple(map(int, found[1].split("."))) if found else ()


def can_be_written(folder: Path) -> bool:
    """Whether the folder, or the first one above it that exists, takes files."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def output(argv: Sequence[str], env: Mapping[str, str]) -> str | None:
    """What a command printed on stdout; None where it does not start, or fails."""
    try:
        return subprocess.check_output(argv, env=env, stderr=subprocess.DEVNULL, text=True)
    except (OSError, subprocess.CalledProcessError):
        return None
