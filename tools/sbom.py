"""Writes what the image holds of Python packages, as CycloneDX: `python -m tools.sbom`.

uv writes the document from a project whose dependencies are the image's lock; what is for another
platform than Linux has its marker. The packages of the base image are not in it: a scanner of
images lists those.
"""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.local_system.settings import ROOT
from runtime.process.command import run_command
from tools.locks import PINNED

IMAGE_LOCK = ROOT / "requirements.lock"
SBOM = ROOT / "build" / "sbom.cdx.json"


class DiffersFromLock(Exception):
    """The document names another package, version or file than the lock."""

    def __init__(self, differing: set[str]) -> None:
        super().__init__(
            f"the SBOM and {IMAGE_LOCK.name} differ in {', '.join(sorted(differing))}: is the"
            " package index another one than that which `make lock` asked?"
        )


def main() -> int:
    lock = IMAGE_LOCK.read_text()
    with TemporaryDirectory() as folder:
        (Path(folder) / "pyproject.toml").write_text(project(lock))
        text = document(Path(folder))
    require_same(json.loads(text), lock)
    SBOM.parent.mkdir(exist_ok=True)
    SBOM.write_text(text)
    sys.stdout.write(f"{SBOM.relative_to(ROOT)}: {len(pinned(lock))} packages\n")
    return 0


def project(lock: str) -> str:
    """A project that depends on exactly what a lock pins, each with its marker."""
    dependencies = [
        f"{name}{extras}=={version}{marker}" for name, extras, version, marker in requirements(lock)
    ]
    return (
        '[project]\nname = "streamed-events"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'
        f"dependencies = {json.dumps(dependencies)}\n"
    )


def document(folder: Path) -> str:
    """Have uv lock the project of a folder and write it as CycloneDX 1.5."""
    uv = str(Path(sys.executable).with_name("uv"))
    for command in (
        ["lock", "--quiet", "--no-build"],
        ["export", "--quiet", "--frozen", "--format", "cyclonedx1.5", "--output-file", "sbom"],
    ):
        subprocess.run([uv, *command], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return (folder / "sbom").read_text()


def require_same(sbom: dict[str, Any], lock: str) -> None:
    """Raise DiffersFromLock unless every package of the lock is in it, and no file beside its."""
    components = sbom["components"]
    differing = {(each["name"], each["version"]) for each in components} ^ pinned(lock)
    strange = {
        each["name"]
        for each in components
        for file in each.get("externalReferences", ())
        for digest in file["hashes"]
        if f"sha256:{digest['content']}" not in lock
    }
    if differing or strange:
        raise DiffersFromLock({name for name, _ in differing} | strange)


def pinned(lock: str) -> set[tuple[str, str]]:
    """Each package of a lock with its version."""
    return {(name, version) for name, _, version, _ in requirements(lock)}


def requirements(lock: str) -> list[tuple[str, str, str, str]]:
    """Name, extras, version and marker of each requirement."""
    return [
        (name, extras, version, marker) for name, extras, version, marker in PINNED.findall(lock)
    ]


if __name__ == "__main__":
    run_command(main, failures=(DiffersFromLock, subprocess.CalledProcessError))
