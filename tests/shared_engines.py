"""Engines that many tests share: where one has died, each failure after it shows its last lines."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import pytest

from local.child import last_lines, running_child
from local.errors import last_words

_RUNNING = pytest.StashKey[dict[Path, tuple[str, "Popen[bytes]"]]]()


@contextmanager
def shared_engine(
    config: pytest.Config,
    name: str,
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
) -> Iterator["Popen[bytes]"]:
    """Run it until the block ends, with its output in `log`."""
    running = config.stash.setdefault(_RUNNING, {})
    # Nothing of it is kept: a clean end would take seconds.
    with running_child(name, command, env=env, cwd=log.parent, log=log, stop_within=0) as child:
        running[log] = name, child
        try:
            yield child
        finally:
            del running[log]


def died(config: pytest.Config) -> list[str]:
    """The last words of each engine that should run and does not."""
    return [
        last_words(name, child.returncode, last_lines(log))
        for log, (name, child) in config.stash.get(_RUNNING, {}).items()
        if child.poll() is not None
    ]
