"""Boundaries that import-linter cannot express."""

import ast
import sys
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[2] / "services"


@pytest.mark.parametrize("model", sorted(SERVICES.glob("*/model.py")), ids=lambda p: p.parent.name)
def test_a_model_imports_only_the_standard_library(model: Path) -> None:
    """A domain's rules depend on nothing that could be installed, upgraded or mocked."""
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
        for node in ast.walk(ast.parse(model.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names
