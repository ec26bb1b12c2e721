"""What programs say is in plain words: messages, logs, help, metrics, OpenAPI, the console."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.called import PACKAGES
from tests.pages import ROOT
from tests.plain_words import findings
from tools.reference.routes import apps

OURS = (*PACKAGES, "contracts", "tools")
MODULES = [each for package in OURS for each in sorted((ROOT / package).rglob("*.py"))]
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


def said(source: str, name: str) -> list[str]:
    return [
        found
        for line, text in texts(source)
        for found in findings(text, f"{name}, the text that ends at line {line}")
    ]


@pytest.mark.parametrize("package", OURS)
def test_messages_logs_and_help_are_in_plain_words(package: str) -> None:
    """Every text of a module but docstrings may be printed."""
    modules = [each for each in MODULES if name(each).startswith(f"{package}/")]
    assert modules
    assert [found for each in modules for found in said(each.read_text(), name(each))] == []


def test_the_console_is_in_plain_words() -> None:
    """Its texts are in its code, so all of that is read, comments too."""
    assert PAGE
    assert [found for each in PAGE for found in findings(each.read_text(), name(each))] == []


def test_the_help_of_make_is_in_plain_words() -> None:
    """It is in the Makefile, after two number signs."""
    assert list(findings((ROOT / "Makefile").read_text(), "Makefile")) == []


def test_openapi_is_in_plain_words() -> None:
    """Descriptions come from docstrings, too."""
    documents = {app.title: json.dumps(app.openapi(), indent=1) for app in apps()}
    assert len(documents) == 3
    assert [found for title, text in documents.items() for found in findings(text, title)] == []


def test_the_test_finds_what_it_looks_for() -> None:
    """A docstring is left alone; a text, also one with values in it, is not."""
    source = '"""nobody"""\nprint(f"{count} lines need a person", "dead letters", "a letter")\n'
    assert len(said(source, "a.py")) == 2
