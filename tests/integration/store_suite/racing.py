"""Runs calls at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier


def outcomes(work: list[Callable[[], object]]) -> list[BaseException | None]:
    """Run all at the same moment; what each raised, or None."""
    barrier = Barrier(len(work))

    def run(each: Callable[[], object]) -> None:
        barrier.wait()
        each()

    with ThreadPoolExecutor(len(work)) as pool:
        return [future.exception() for future in [pool.submit(run, each) for each in work]]
