"""What one batch call to AWS may carry."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """What one call may carry: entries, and bytes in total."""

    entries: int
    total_bytes: int

    def admit(self, entries: int, total_bytes: int, more: int) -> bool:
        """Whether a batch of that many entries and bytes has room for an entry of `more` bytes."""
        return entries < self.entries and total_bytes + more <= self.total_bytes

    def cut(self, items: Iterable[T], size_of: Callable[[T], int]) -> Iterator[list[T]]:
        """Cut items, in their order, into batches; one that is too large is a batch alone."""
        batch: list[T] = []
        total = 0
        for item in items:
            size = size_of(item)
            if batch and not self.admit(len(batch), total, size):
                yield batch
                batch, total = [], 0
            batch.append(item)
            total += size
        if batch:
            yield batch


def in_batches(items: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """Cut items into batches of at most `most` entries, whatever their bytes."""
    for start in range(0, len(items), most):
        yield items[start : start + most]
