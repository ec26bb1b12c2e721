"""Waiting for work that is on its way: never for long, and never by sleeping."""

import time
from collections.abc import Callable
from typing import Any

WORK_PATIENCE = 20.0
"""Seconds that work may take to come; it takes milliseconds."""


class NothingCame(Exception):
    """A part was told to work, and there was nothing to do."""


def until(look: Callable[[], Any], where: str) -> Any:
    """Look until something is there; raises NothingCame."""
    deadline = time.monotonic() + WORK_PATIENCE
    while time.monotonic() < deadline:
        if found := look():
            return found
    raise NothingCame(where)
