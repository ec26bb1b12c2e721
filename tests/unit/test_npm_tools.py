"""The npm tools come from locks, in which each package is known by its hash and by no address."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.local_system.settings import ROOT

FOLDERS = sorted((ROOT / "tools" / "npm").iterdir())


def read(file: Path) -> Any:
    return json.loads(file.read_text())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_package_of_a_lock_has_its_hash_and_no_address(folder: Path) -> None:
    """So that whichever registry a machine has, it gives the same files, or none."""
    packages = read(folder / "package-lock.json")["packages"]
    ours = packages.pop("")
    assert packages
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name
    wanted = read(folder / "package.json")["dependencies"]
    assert ours["dependencies"] == wanted
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version


def test_no_npm_tool_is_run_that_no_lock_names() -> None:
    """npx would fetch it, and all that it needs, in whichever version is the newest."""
    makefile = (ROOT / "Makefile").read_text()
    runs = makefile + "".join(file.read_text() for file in (ROOT / "tools").rglob("*.py"))
    assert not re.search(r"npx |\"npx\"|npm install|npm i ", runs)
    assert re.findall(r"npm ci .*", makefile)
    assert "--ignore-scripts" in makefile
    assert {*re.findall(r"build/npm/(\w+)/installed", makefile)} == {each.name for each in FOLDERS}
