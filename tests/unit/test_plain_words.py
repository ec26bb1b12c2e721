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

PRINTED: Mapping[str, tuple[str, ...]] = {
    "docs/costs.md": (  # benchmarks/costs/assumptions.toml and prices.toml
        "where a mixture is told",
        "of whoever is not Lambda",
    ),
    "docs/how-to/find-an-event.md": (  # operations/where/
        "`nobody knows …`",
        "`it is nowhere to be found: …`",
    ),
    "docs/operations.md": (  # operations/status/command.py, operations/audit/
        "2 lines need a person",
        "the books balance",
    ),
    "docs/reference/cli.md": (  # the Makefile, and the parsers of operations/
        "and a failing AWS, then its books",
        "let ruff and prettier mend what they can",
        "write contracts/ anew from the code",
        "write the diagrams in README.md and docs/ anew from the topology",
        "write docs/reference anew from the code",
        "Exit code 1 if something needs a person.",
        "look at so many messages of each queue at most",
        "killed at any moment it is lost nowhere",
        "Mend the cause first",
        "Tells, in order of time,",
        "An event's id tells of that event",
        "2 if nobody knows the id",
        "likewise (now)",
    ),
    "docs/reliability.md": (  # tests/simulation/, local/chaos/report.py
        "is reached late: the caller stands still",
        "does it by half",
        "left its outbox and is nowhere else",
        "half-fail behind 200",
    ),
}
"""By page, phrases that are quoted from what programs print, or generated from their texts."""


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def checked(page: Path) -> str:
    """The text that is held to plain words, at its own lines: quoted phrases are blanked.

    Of the changelog that is the newest section, and of the tutorial its prose: its code is typed
    by a test, and is the code of this repository.
    """
    text = page.read_text(encoding="utf-8")
    if page == CHANGELOG:
        head, newest, *older = re.split(r"(?m)^(?=## )", text)
        text = head + newest + "".join(map(blank, older))
    if page.name == "tutorial.md":
        text = re.sub(r"(?ms)^```.*?^```$", lambda block: blank(block[0]), text)
    for phrase in PRINTED.get(name_of(page), ()):
        text = phrase_pattern(phrase).sub(lambda quoted: blank(quoted[0]), text)
    return text


def blank(text: str) -> str:
    """As many lines, and nothing in them."""
    return re.sub(r"\S", " ", text)


def phrase_pattern(phrase: str) -> re.Pattern[str]:
    """The phrase, also where a line ends within it."""
    return re.compile(r"\s+".join(map(re.escape, phrase.split())))


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


@pytest.mark.parametrize("name", PRINTED)
def test_a_phrase_that_is_no_longer_printed_is_no_longer_excepted(name: str) -> None:
    """The list gets shorter with the programs' own dialect."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert [each for each in PRINTED[name] if not phrase_pattern(each).search(text)] == []


def test_a_finding_has_its_line_and_spans_lines() -> None:
    """A phrase is found where a line ends within it, and a longer word is another word."""
    text = "It is understood.\nThis needs\na person.\n"
    assert list(findings(text, "a.md")) == [
        "a.md:2: 'needs a person': say needs attention",
    ]
