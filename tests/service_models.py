"""What a service's model in botocore allows: all of it, where botocore itself checks less.

Its own validator knows types, what is required and the least lengths; the rest a service refuses.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.model import OperationModel, Shape
from botocore.session import get_session
from botocore.validate import ParamValidator


@cache
def operation(service: str, name: str) -> OperationModel:
    return get_session().get_service_model(service).operation_model(name)


def faults(service: str, name: str, request: dict[str, Any]) -> list[str]:
    """All that is wrong with the parameters of one call; empty where the model allows them."""
    shape = operation(service, name).input_shape
    assert shape is not None
    report = ParamValidator().validate(request, shape).generate_report()
    return [*report.splitlines(), *_beyond(shape, request, name)]


def value_faults(service: str, shape: str, value: Any) -> list[str]:
    """All that is wrong with one value, by the name of its shape."""
    model = get_session().get_service_model(service).shape_for(shape)
    report = ParamValidator().validate(value, model).generate_report()
    return [*report.splitlines(), *_beyond(model, value, shape)]


def _beyond(shape: Shape, value: Any, where: str) -> Iterator[str]:
    """The greatest lengths and numbers, the patterns and the enumerations."""
    yield from _itself(shape, value, where)
    parts: Any = shape
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, member in value.items():
            if name in parts.members:
                yield from _beyond(parts.members[name], member, f"{where}.{name}")
    elif shape.type_name == "list" and isinstance(value, list):
        for index, member in enumerate(value):
            yield from _beyond(parts.member, member, f"{where}[{index}]")
    elif shape.type_name == "map" and isinstance(value, dict):
        for name, member in value.items():
            yield from _beyond(parts.key, name, f"{where} (key)")
            yield from _beyond(parts.value, member, f"{where}.{name}")


def _itself(shape: Shape, value: Any, where: str) -> Iterator[str]:
    limits: Any = shape.metadata
    size = value if isinstance(value, int | float) else len(value) if _has_length(value) else None
    if size is not None and "max" in limits and size > limits["max"]:
        yield f"{where}: {size} is more than {limits['max']}"
    if isinstance(value, str):
        if "pattern" in limits and not re.fullmatch(limits["pattern"], value):
            yield f"{where}: {value[:80]!r} does not match {limits['pattern']}"
        if limits.get("enum") and value not in limits["enum"]:
            yield f"{where}: {value!r} is not one of {limits['enum']}"


def _has_length(value: Any) -> bool:
    return isinstance(value, str | bytes | list | dict)
