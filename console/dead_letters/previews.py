"""What was previewed and may now be done: once, soon, and exactly that."""

import secrets
from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Annotated, Generic, TypeVar

from pydantic import Field

from contracts.envelope import ReadModel
from operations.errors import OperatorError

KEPT_PREVIEWS = 50
"""Kept at a time; the oldest goes first."""

LASTS = 600.0
"""Seconds."""

T = TypeVar("T")

Text = Annotated[str, Field(min_length=1, max_length=256)]


class Previewed(ReadModel, extra="forbid"):
    """What an action is asked with: the name of a preview."""

    preview: Text


class StalePreview(OperatorError):
    """It was used, is too old, or never was."""

    def __init__(self) -> None:
        super().__init__(
            "this preview was used already, or is older than ten minutes: preview it again, and"
            " see whether it is still what you want"
        )


class Previews(Generic[T]):
    """`clock` is in seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[float, T]] = {}
        self._lock = Lock()

    def keep(self, shown: T) -> str:
        """Keep what was shown; returns the name under which it can be taken."""
        name = secrets.token_urlsafe(16)
        with self._lock:
            self._kept[name] = (self._clock() + LASTS, shown)
            if len(self._kept) > KEPT_PREVIEWS:
                del self._kept[next(iter(self._kept))]
        return name

    def take(self, name: str) -> T:
        """Take it, once. Raises StalePreview."""
        with self._lock:
            until, shown = self._kept.pop(name, (0.0, None))
        if shown is None or self._clock() > until:
            raise StalePreview
        return shown
