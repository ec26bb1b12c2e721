"""Every public class and constant has a name of its own: a name says one thing."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from infra.local_system.settings import ROOT
from tests.called import PACKAGES

ALLOWED = {
    "HEAD": "the beginning of each page of the reference",
    "KINDS": "which problem each error is: each API's own",
    "WORKLOADS": "each domain's, and all of them",
    "CODES": "the errors of AWS and of MongoDB, by family: two halves of one table",
    "EXCEPTIONS": "likewise",
    "MAX_DELETES": "each database's own limit, in its adapter",
    "MONTHS": "what a chaos run expects of a service is written down once more, not imported",
    "PAGE": "each database's own page, in its adapter",
    "ROW": "what each row of the benchmark is called",
}
"""By name: why it may repeat."""

HOUSES = ("services.", "infra.domains")
"""Each domain has its own of the same: what repeats in one of these alone may."""


def test_no_two_public_names_mean_two_things() -> None:
    """Of classes and constants, in whatever module."""
    found = repeated()
    assert not {name: modules for name, modules in found.items() if name not in ALLOWED}


def test_what_is_allowed_to_repeat_does() -> None:
    """An exception that is none any more goes."""
    assert ALLOWED.keys() <= repeated().keys()


def repeated() -> Mapping[str, list[str]]:
    """Names that more than one module has, what is of the domains being one."""
    modules: defaultdict[str, set[str]] = defaultdict(set)
    for package in (*PACKAGES, "contracts", "tools"):
        for file in (ROOT / package).rglob("*.py"):
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            for name in public_names(file):
                modules[name].add(
                    next((each for each in HOUSES if module.startswith(each)), module)
                )
    return {name: sorted(them) for name, them in sorted(modules.items()) if len(them) > 1}


def public_names(file: Path) -> Iterator[str]:
    """Classes, and constants by their case: two letters at least, so no type variable."""
    for statement in ast.parse(file.read_text()).body:
        match statement:
            case ast.ClassDef(name=name) if not name.startswith("_"):
                yield name
            case ast.Assign(targets=targets):
                yield from filter(is_constant, (name for each in targets for name in names(each)))
            case ast.AnnAssign(target=target):
                yield from filter(is_constant, names(target))


def names(target: ast.expr) -> Iterator[str]:
    yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def is_constant(name: str) -> bool:
    return re.fullmatch(r"[A-Z][A-Z0-9_]+", name) is not None
