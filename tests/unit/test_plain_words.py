"""The documents say things in AWS's and the outbox pattern's words: docs/glossary.md has them."""

import re
from pathlib import Path

import pytest

from tests.pages import DOCS, ROOT
from tests.plain_words import findings

CHANGELOG = ROOT / "CHANGELOG.md"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", CHANGELOG, *sorted(DOCS.rglob("*.md"))]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def checked(page: Path) -> str:
    """The text that is held to plain words, at its own lines.

    Of the changelog that is the newest section, and of the tutorial its prose: its code is typed
    by a test, and is the code of this repository.
    """
    text = page.read_text(encoding="utf-8")
    if page == CHANGELOG:
        head, newest, *older = re.split(r"(?m)^(?=## )", text)
        text = head + newest + "".join(map(blank, older))
    if page.name == "tutorial.md":
        text = re.sub(r"(?ms)^```.*?^```$", lambda block: blank(block[0]), text)
    return text


def blank(text: str) -> str:
    """As many lines, and nothing in them."""
    return re.sub(r"\S", " ", text)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_document_uses_plain_words(page: Path) -> None:
    """Each finding names its line and the word to use."""
    assert list(findings(checked(page), name_of(page))) == []
