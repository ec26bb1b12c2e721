"""The documents say things in AWS's and the outbox pattern's words, not in a dialect of their own.

docs/glossary.md has the words to use. What programs print is quoted as it is: those phrases are
listed here until the programs say something else.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.pages import DOCS, ROOT

CHANGELOG = ROOT / "CHANGELOG.md"
PAGES = [ROOT / "README.md", CHANGELOG, *sorted(DOCS.rglob("*.md"))]

PLAIN: Mapping[str, str] = {
    r"tells?|told|telling|untold": "says, shows, reports, informs; of a stream: delivers",
    r"durable hands": "accepted by EventBridge or by a queue",
    r"in hand": "in flight, received",
    r"at hand": "available",
    r"anew": "again, new",
    r"mends?|mended|mending": "fix, repair",
    r"whoever|whomever|whosever": "the process, account or user that …",
    r"somebody|someone|nobody|anybody|anyone|everybody|everyone": "name who, or use the passive",
    r"stands?|stood|standings?": "is, is in; stuck, frozen, stopped",
    r"the bell": "change feed",
    r"how dear|dear|dearer": "cost, expensive",
    r"needs? (?:a person|you)": "needs attention",
    r"of ours": "our",
    r"so many": "N, a number of",
    r"(?<!dead\s)letters?": "dead letters, messages in the DLQ",
    r"culprits?": "the failed entry",
    r"mischief": "injected fault",
    r"sightings?": "observed event",
    r"gathers?|gathered|gathering": "linger, wait for more entries",
    r"half-fail\w*|by half": "partial failure, fails partially",
    r"reckon\w*": "compute",
    r"befalls?|befell": "happens to",
    r"strange": "unrecognized",
    r"(?:its|the|their) books": "audit",
    r"likewise": "the same",
    r"nowhere": "not found",
    r"set(?:s|ting)? aside": "dead-letter",
    r"is no (?:moment|number|text)": "is not a valid …",
    r"a machine's eyes|for a person|wakes a person": "readable; needs attention",
}
"""Stems that the documents do not use, and what they say instead."""

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


def findings(text: str, name: str) -> Iterator[str]:
    """Each use of a stem, as `file:line: word: the plain one`."""
    for stem, plain in PLAIN.items():
        pattern = rf"(?<![\w-])(?:{stem})(?![\w-])".replace(" ", r"\s+")
        for found in re.finditer(pattern, text, re.IGNORECASE):
            line = text.count("\n", 0, found.start()) + 1
            yield f"{name}:{line}: {' '.join(found[0].split())!r}: say {plain}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_document_uses_plain_words(page: Path) -> None:
    """Each finding names its line and the word to use."""
    assert list(findings(checked(page), name_of(page))) == []
