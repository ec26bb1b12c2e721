"""A set of the latest keys, bounded: what was done a moment ago is not done twice."""

from collections.abc import Hashable, Iterable
from itertools import islice


class RecentKeys:
    """The latest keys that were added, at most `limit` of them."""

    def __init__(self, limit: int) -> None:
        self._limit, self._keys = limit, dict[Hashable, None]()

    def add(self, keys: Iterable[Hashable]) -> None:
        self._keys |= dict.fromkeys(keys)
        for oldest in list(islice(self._keys, max(0, len(self._keys) - self._limit))):
            del self._keys[oldest]

    def __contains__(self, key: Hashable) -> bool:
        return key in self._keys
