"""Two descriptions of one world, resource by resource and attribute by attribute."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

Attributes = Mapping[str, object]
World = Mapping[str, Attributes]
"""By kind and name, as in "queue stock-dlq", attributes by dotted path, in CloudFormation's terms.

An attribute with AWS's default is there as much as one that was set.
"""

ABSENT = "(absent)"
EXISTS = "(exists)"
"""An attribute that every resource has, so that one that is missing altogether shows."""


@dataclass(frozen=True)
class Difference:
    """Of one attribute, between what templates declare and what an emulator holds."""

    resource: str
    attribute: str
    declared: object
    made: object

    def __str__(self) -> str:
        return (
            f"{self.resource}, {self.attribute}: "
            f"the templates say {self.declared!r}, on the emulator it is {self.made!r}"
        )


@dataclass(frozen=True)
class Meant:
    """Attributes that one side has alone, on purpose; the patterns are fnmatch's."""

    only: Literal["on AWS", "on the emulator"]
    resource: str
    attribute: str
    because: str

    def covers(self, difference: Difference) -> bool:
        other = difference.made if self.only == "on AWS" else difference.declared
        return (
            other == ABSENT
            and fnmatchcase(difference.resource, self.resource)
            and fnmatchcase(difference.attribute, self.attribute)
        )


def differences(declared: World, made: World) -> Iterator[Difference]:
    for resource in sorted(declared.keys() | made.keys()):
        wanted, found = declared.get(resource, {}), made.get(resource, {})
        for attribute in sorted(wanted.keys() | found.keys()):
            mine, theirs = wanted.get(attribute, ABSENT), found.get(attribute, ABSENT)
            if mine != theirs:
                yield Difference(resource, attribute, mine, theirs)


def unexpected(found: Iterable[Difference], meant: Iterable[Meant]) -> list[str]:
    """What nobody meant."""
    known = tuple(meant)
    return [str(each) for each in found if not any(one.covers(each) for one in known)]


def attributes(value: Mapping[str, Any], **defaults: object) -> dict[str, object]:
    """Every leaf by its dotted path; a list is a leaf, what is None or empty is not there."""
    return {EXISTS: True, **defaults, **dict(_leaves(value, ""))}


def statements(document: Mapping[str, Any] | None) -> dict[str, Any]:
    """A policy's statements by their ids: their order means nothing."""
    return {
        statement["Sid"]: {**statement, "Version": document["Version"]}
        for statement in (document or {}).get("Statement", ())
        if document
    }


def _leaves(value: Any, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _leaves(each, f"{path}.{key}" if path else key)
    elif value not in (None, [], ""):
        yield path, value
