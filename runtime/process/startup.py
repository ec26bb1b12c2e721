"""The start of a process that serves or works: its settings, its logs, its spans."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from runtime import logs
from runtime.process import tracing
from runtime.process.tracing import Tracer
from runtime.settings import ProcessSettings, load

S = TypeVar("S", bound=ProcessSettings)


@contextmanager
def startup(name: str, settings_type: type[S]) -> Iterator[tuple[S, Tracer | None]]:
    """Read the settings, write logs and, if wanted, spans under `name` while the block lasts.

    Raises Misconfigured.
    """
    settings = load(settings_type)
    logs.configure(level=settings.log_level, form=settings.log_format, process=name)
    with tracing.started(name) as tracer:
        yield settings, tracer
