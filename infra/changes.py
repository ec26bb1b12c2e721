"""What a renderer did, and the one thing it cannot do."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Action = Literal["created", "updated", "removed"]


@dataclass(frozen=True, slots=True)
class Change:
    """`what` names the attributes that an update brought in line."""

    action: Action
    kind: str
    name: str
    what: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.action} {self.kind} {self.name}" + (
            f" ({', '.join(self.what)})" if self.what else ""
        )


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one run changed, in order; empty when the world already was as described."""

    changes: tuple[Change, ...]

    def __str__(self) -> str:
        counts = Counter(change.action for change in self.changes)
        actions: tuple[Action, ...] = ("created", "updated", "removed")
        return ", ".join(f"{counts[action]} {action}" for action in actions)


class CannotChangeError(Exception):
    """A resource exists in a form that cannot become the wanted one in place; says the repair."""

    def __init__(self, kind: str, name: str, difference: str, repair: str) -> None:
        super().__init__(
            f"{kind} {name}: {difference}, and that cannot be changed in place: {repair}"
        )
        self.kind, self.name = kind, name


def change_of(kind: str, name: str, *, existed: bool, what: Iterable[str]) -> list[Change]:
    """One resource's change: created if it was not there, updated if `what` says so, else none."""
    if not existed:
        return [Change("created", kind, name)]
    updated = tuple(what)
    return [Change("updated", kind, name, updated)] if updated else []
