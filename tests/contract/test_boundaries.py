"""Boundaries that import-linter cannot express."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SERVICES = TESTS.parent / "services"


@pytest.mark.parametrize("model", sorted(SERVICES.glob("*/model.py")), ids=lambda p: p.parent.name)
def test_a_model_imports_only_the_standard_library(model: Path) -> None:
    """A domain's rules depend on nothing that could be installed, upgraded or mocked."""
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
        for node in ast.walk(ast.parse(model.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


def test_the_console_loads_no_database_relay_or_domain_model() -> None:
    """It knows the system through AWS and the APIs: a fresh interpreter has nothing else in it."""
    # What is None there is kept out (runtime/imports.py).
    loaded = "sorted(name for name, module in sys.modules.items() if module)"
    script = f"import json, sys, console.main; print(json.dumps({loaded}))"
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    packages = {"bson", "local", "pymongo", "relay", "services"}
    modules = json.loads(run.stdout)
    assert [each for each in modules if each.partition(".")[0] in packages] == []
    assert "runtime.mongodb" not in modules


def test_no_test_patches_a_constant() -> None:
    """What a test varies is a parameter, or a field with a default."""
    patched = [
        f"{test.name}: {ast.unparse(node)}"
        for test in sorted(TESTS.rglob("test_*.py"))
        for node in ast.walk(ast.parse(test.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("setattr")
        for target in node.args[:2]
        if isinstance(target, ast.Constant) and re.search(r"(^|\.)[A-Z][A-Z_]+$", str(target.value))
    ]
    assert patched == []
