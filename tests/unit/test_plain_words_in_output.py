"""What the commands and the console say is in plain words: none of a private dialect."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

STEMS = (
    r"\btold\b",
    r"\btells?\b",
    r"\bnobody",
    r"\bsomebody",
    r"\banybody",
    r"\bwhoever",
    r"\banew\b",
    r"\bmend",
    r"(?<!dead )(?<!dead-)\bletters?\b(?!-spacing)",
    r"\bin hand\b",
    r"durable hands",
    r"\bneeds? (you|a person)\b",
    r"\bstands? still\b",
    r"\bso many\b",
    r"\bnowhere to be found\b",
    r"\bto be seen\b",
    r"\bof ours\b",
    r"\bdear\b",
    r"\bis no (moment|number)\b",
    r"\blets? go\b",
    r"\bsighting",
    r"\bstrange",
)
"""Each with the plain word for it in docs/glossary.md."""

DIALECT = re.compile("|".join(STEMS), re.IGNORECASE)

MODULES = [
    *sorted((ROOT / "operations").rglob("*.py")),
    *sorted((ROOT / "console").rglob("*.py")),
]
PAGE = [
    each
    for each in sorted((ROOT / "console/page").rglob("*"))
    if each.suffix in {".html", ".js", ".css"}
]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield the text constants of a module with their lines, but for its docstrings."""
    tree = ast.parse(source)
    docstrings = {
        id(statement.value) for statement in ast.walk(tree) if isinstance(statement, ast.Expr)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in docstrings:
                yield node.lineno, text


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_message_or_a_help_text_is_in_plain_words(module: Path) -> None:
    """Everything but docstrings may be printed."""
    found = [(line, text) for line, text in texts(module.read_text()) if DIALECT.search(text)]
    assert found == []


@pytest.mark.parametrize("file", PAGE, ids=name)
def test_the_page_is_in_plain_words(file: Path) -> None:
    """Its texts stand in its code, so all of that is read, comments too."""
    lines = enumerate(file.read_text().splitlines(), start=1)
    assert [(number, line) for number, line in lines if DIALECT.search(line)] == []


def test_the_test_finds_what_it_looks_for() -> None:
    """A docstring is left alone; a text, also one with values in it, is not."""
    source = '"""nobody"""\nprint(f"{count} lines need a person", "dead letters", "a letter")\n'
    found = {text for _, text in texts(source) if DIALECT.search(text)}
    assert found == {" lines need a person", "a letter"}
