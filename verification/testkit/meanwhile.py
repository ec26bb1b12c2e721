"""What goes on in threads while a block runs."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager


@contextmanager
def meanwhile(work: Callable[[threading.Event], None], threads: int = 1) -> Iterator[None]:
    """Work in threads until the block ends, which sets the event they are given; wait for them."""
    stopping = threading.Event()
    running = [threading.Thread(target=work, args=(stopping,), daemon=True) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in running:
            thread.join()


def every(seconds: float, do: Callable[[], object]) -> AbstractContextManager[None]:
    """Do something at a steady rate until the block ends."""

    def run(stopping: threading.Event) -> None:
        due = time.monotonic()
        while not stopping.is_set():
            do()
            due = max(due + seconds, time.monotonic() - seconds)
            stopping.wait(max(0.0, due - time.monotonic()))

    return meanwhile(run)
