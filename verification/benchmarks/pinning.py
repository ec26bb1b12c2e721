"""Which cores a process may use: what makes the load must not take turns with what is loaded."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def measured_cores() -> set[int]:
    """All cores but the last: for what is measured. All, where there is one or no such setting."""
    cores = _cores()
    return cores - generator_cores() or cores


def generator_cores() -> set[int]:
    """The last core: for what makes the load, and for the stub of AWS beside it."""
    return {max(_cores(), default=0)}


def pin(pid: int, cores: set[int]) -> None:
    """Keep every thread of a process there, and those that they will start; nothing on macOS."""
    tasks = Path(f"/proc/{pid}/task")
    if not hasattr(os, "sched_setaffinity") or not tasks.exists():
        return
    for task in tasks.iterdir():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), cores)


@contextmanager
def loading() -> Iterator[None]:
    """Keep this thread on the core of what makes the load, until the block ends."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, generator_cores())
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _cores() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))
