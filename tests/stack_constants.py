"""Constants of infra/aws, read from its source: CDK takes seconds and a Node process to import."""

import ast
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "infra" / "aws"


def source(module: str) -> ast.Module:
    """A module of infra/aws."""
    return ast.parse((FOLDER / f"{module}.py").read_text())


@cache
def constants(module: str) -> dict[str, Any]:
    """The literals that a module of infra/aws assigns at its top, by name."""
    found: dict[str, Any] = {}
    for node in source(module).body:
        if isinstance(node, ast.Assign):
            try:
                value = ast.literal_eval(node.value)
            except ValueError:  # an expression
                continue
            match node.targets[0]:
                case ast.Name(name):
                    found[name] = value
                case ast.Tuple(names):
                    found |= zip(map(ast.unparse, names), value, strict=True)
    return found
