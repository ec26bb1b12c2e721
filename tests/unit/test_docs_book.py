"""docs/ as a book: every page has its place, and every link leads somewhere."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.pages import DOCS, ROOT
from tools import book

PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")],
    key=lambda page: page.relative_to(ROOT).as_posix(),
)

_LINK = re.compile(r"(?<!\\)\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_HEADING = re.compile(r"^#+ (.*?)\s*$", re.MULTILINE)

each_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix()
)


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """The file and the anchor of each link that leads to no other host."""
    for target in _LINK.findall(_CODE.sub("", prose(page))):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = unquote(target).partition("#")
            yield ((page.parent / path).resolve() if path else page), anchor


@cache
def anchors(page: Path) -> frozenset[str]:
    """What GitHub makes of a page's headings."""
    made: set[str] = set()
    for heading in _HEADING.findall(prose(page)):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        number = 1
        while (anchor := slug if number == 1 else f"{slug}-{number - 1}") in made:
            number += 1
        made.add(anchor)
    return frozenset(made)


@each_page
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    """To a file or folder of the repository, and to a heading of it where an anchor is named."""
    dead = [
        f"{target.name}#{anchor}"
        for target, anchor in links(page)
        if not target.exists() or (anchor and anchor not in anchors(target))
    ]
    assert dead == []


@pytest.mark.parametrize("name", ["README.md", *(page.path for page in book.pages())])
def test_every_page_begins_with_the_question_that_it_answers(name: str) -> None:
    """In its title or in the first paragraph: a page without one has no reason to be read."""
    title, first, *_ = book.bare((DOCS / name).read_text(encoding="utf-8")).split("\n\n")
    assert "?" in title + first


def test_every_page_is_in_the_contents_once() -> None:
    """A page that nobody listed would be found by nobody."""
    listed = [page.path for page in book.pages()]
    there = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    assert sorted(listed) == sorted(there - {"README.md"})


@pytest.mark.parametrize("name", [page.path for page in book.pages()])
def test_every_page_is_bound_once_at_its_end(name: str) -> None:
    """A second line in the middle would cut a table in two."""
    text = (DOCS / name).read_text(encoding="utf-8")
    assert text != book.bare(text)
    assert "[Contents](" not in book.bare(text)


def test_every_threat_names_tests_that_exist() -> None:
    """docs/security.md promises a test for each row; a folder stands before a name or it is
    tests/security/.
    """
    _, table = (DOCS / "security.md").read_text(encoding="utf-8").split("| test |\n")
    threats = [row for row in table.splitlines()[1:] if row.startswith("|")]
    assert len(threats) > 30
    for row in threats:
        named = re.findall(r"`([\w/]*test_\w+\.py)(?:::(\w+))?`", row.rsplit("|", 2)[1])
        assert named, row
        for path, function in named:
            file = ROOT / path if path.startswith("tests/") else ROOT / "tests/security" / path
            text = file.read_text(encoding="utf-8")
            assert not function or f"def {function}(" in text, (path, function)


def test_a_page_is_bound_anew_without_a_second_line() -> None:
    """Writing the line twice changes nothing, and takes nothing else away."""
    once = book.bound("tutorial.md", "# A title\n\nA text.\n")
    assert once.startswith("# A title\n\nA text.\n\n---\n\n[Contents](README.md) · ")
    assert book.bound("tutorial.md", once) == once
    assert book.bare(once) == "# A title\n\nA text.\n"
