"""The bill of materials names what the image's lock does, and no other file."""

import tomllib

import pytest

from tools.sbom import IMAGE_LOCK, DiffersFromLock, pinned, project, require_same

LOCK = """\
anyio==4.16.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
pyjwt[crypto]==2.15.0 ; sys_platform == 'linux' \\
    --hash=sha256:cc
"""


def component(name: str, version: str, *hashes: str) -> dict[str, object]:
    files = [{"hashes": [{"alg": "SHA-256", "content": each}]} for each in hashes]
    return {"name": name, "version": version, "externalReferences": files}


def test_the_project_depends_on_what_the_lock_pins() -> None:
    """Each with its extras and its marker."""
    assert tomllib.loads(project(LOCK))["project"]["dependencies"] == [
        "anyio==4.16.0",
        "pyjwt[crypto]==2.15.0 ; sys_platform == 'linux'",
    ]
    assert len(pinned(IMAGE_LOCK.read_text())) > 40


def test_a_document_of_the_lock_is_taken() -> None:
    """Some of a package's files may be left out."""
    sbom = {"components": [component("anyio", "4.16.0", "bb"), component("pyjwt", "2.15.0", "cc")]}
    require_same(sbom, LOCK)


@pytest.mark.parametrize(
    ("found", "named"),
    [
        ([component("anyio", "4.16.0")], "pyjwt"),
        ([component("anyio", "4.17.0"), component("pyjwt", "2.15.0")], "anyio"),
        ([component("anyio", "4.16.0", "dd"), component("pyjwt", "2.15.0")], "anyio"),
        ([component(*each) for each in (*pinned(LOCK), ("six", "1.17.0"))], "six"),
    ],
    ids=["missing", "another version", "another file", "one more"],
)
def test_what_differs_from_the_lock_is_named(found: list[object], named: str) -> None:
    """Another package index may have other files under the same names."""
    with pytest.raises(DiffersFromLock, match=f"differ in {named}:"):
        require_same({"components": found}, LOCK)
