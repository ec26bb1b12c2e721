"""What was done of late, so that it is not done twice: bounded, and gone with its process."""

from collections.abc import Hashable, Iterable
from itertools import islice


class Recent:
    """The latest keys that were added, so many at most."""

    def __init__(self, most: int) -> None:
        self._most, self._keys = most, dict[Hashable, None]()

    def add(self, keys: Iterable[Hashable]) -> None:
        self._keys |= dict.fromkeys(keys)
        for oldest in list(islice(self._keys, max(0, len(self._keys) - self._most))):
            del self._keys[oldest]

    def __contains__(self, key: Hashable) -> bool:
        return key in self._keys
