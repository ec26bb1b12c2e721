"""Which operations of AWS the code calls, read from the code itself, and the errors they list."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args

from botocore import xform_name
from botocore.model import ServiceModel
from botocore.session import get_session

from runtime.aws import Service

ROOT = Path(__file__).parent.parent
PACKAGES = (
    *("runtime", "relay", "services", "infra"),
    *("operations", "console", "local", "verification"),
)
"""What runs, or runs tests; without contracts and tools, which call nobody and are no processes."""


@cache
def models() -> Mapping[str, ServiceModel]:
    """The models of the services that `Aws.client` makes clients of: there is no other way."""
    session = get_session()
    return {name: session.get_service_model(name) for name in get_args(Service)}


@cache
def called_operations() -> frozenset[tuple[str, str]]:
    """Each service and operation whose method is named anywhere in the code, or its paginator."""
    methods: dict[str, list[tuple[str, str]]] = {}
    for service, model in models().items():
        for operation in model.operation_names:
            methods.setdefault(xform_name(operation), []).append((service, operation))
    return frozenset(found for name in _names() for found in methods.get(name, ()))


def listed_errors(service: str) -> Iterator[tuple[str, str]]:
    """Each operation of the service that is called, and the error codes its model lists for it."""
    for operation in sorted(name for called, name in called_operations() if called == service):
        shapes: Any = models()[service].operation_model(operation).error_shapes
        for shape in shapes:  # whose stubs know no error_code
            yield operation, shape.error_code


def _names() -> Iterator[str]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute):
                    yield node.attr
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
