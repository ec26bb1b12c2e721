"""One system for one state directory: a lock that the kernel takes back when its holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.errors import AlreadyRunning
from runtime.paths import require_writable_folder


@contextmanager
def only_one(state_dir: Path) -> Iterator[None]:
    """Hold the directory; raises AlreadyRunning, naming the holder, if another process has it.

    Raises Misconfigured, naming STATE_DIR, where it cannot be written.
    """
    require_writable_folder(state_dir, "STATE_DIR")
    with (state_dir / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise AlreadyRunning(state_dir, lock.read().strip() or "unknown") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
