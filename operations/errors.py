"""What can go wrong for an operator: one clear sentence each, and exit code 2.

OperatorError
├── NoSuchName     a queue, bus, rule or id that is not there; close names are suggested
├── NothingChosen  a redrive or a drop that would touch nothing, or does not say what
├── NotConfirmed   a drop that was not confirmed
└── NotTaken       a request that an API refused

Beside these, runtime.errors.Unavailable and Misconfigured end a command the same way.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class OperatorError(Exception):
    """Root of this family; the message is the sentence."""


class NoSuchName(OperatorError):
    """A name that nothing has; `kind` says what was looked for, as in "dead-letter queue"."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = get_close_matches(name, names, n=3, cutoff=0.5)
        hint = f"did you mean {_either(close)}?" if close else f"there are {', '.join(names)}"
        super().__init__(f"there is no {kind} {name!r}: {hint}")
        self.kind, self.name = kind, name


class NothingChosen(OperatorError):
    """What was asked for fits no message."""


class NotConfirmed(OperatorError):
    """Nothing was done, because it was not confirmed."""


class NotTaken(OperatorError):
    """A request that an API refused."""

    def __init__(self, url: str, status: int, reason: str) -> None:
        super().__init__(f"{url} refused it ({status}): {reason}")


def _either(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
