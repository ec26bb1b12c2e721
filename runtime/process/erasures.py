"""Applies erasures again to a database that was restored, before any process uses it."""

from collections.abc import Callable
from typing import TypeVar

import structlog

from contracts.causes import Cause
from runtime.ids import new_event_id
from runtime.process.startup import startup
from runtime.process.tracing import Tracer
from runtime.settings import ErasureSettings

log = structlog.get_logger(__name__)


S = TypeVar("S", bound=ErasureSettings)


def run_erasures(
    name: str,
    settings_type: type[S],
    erasing: Callable[[S, Tracer | None], Callable[[str, Cause], bool]],
) -> None:
    """Erase each id by what `erasing` makes, which says whether there is anything of it.

    Running it again changes nothing. Raises what that raises, at the first id that fails.
    """
    with startup(name, settings_type) as (settings, tracer):
        erase = erasing(settings, tracer)
        for each in settings.ids:
            found = erase(each, Cause(correlation_id=f"{name}-{new_event_id()}"))
            log.info("erased" if found else "nothing to erase", aggregateId=each)
