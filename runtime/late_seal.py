"""A seal that is made at its first use: the Encryption SDK and KMS's client are loaded for that.

They take 20 MB and 0.1 s, which a process that has nothing to seal or to open does without.
"""

from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING

from runtime.aws import Aws

if TYPE_CHECKING:
    from runtime.sealing import Seal


class LateSeal:
    """Seals and opens as runtime.sealing.Seal does, under one key, for one encryption `context`."""

    def __init__(self, aws: Aws, key: str, context: Mapping[str, str]) -> None:
        self._aws, self._key, self._context = aws, key, context
        self._making = Lock()
        self._made: Seal | None = None

    def seal(self, text: str) -> str:
        """Seal a text; raises Unavailable."""
        return self._seal().seal(text)

    def open(self, sealed: str) -> str:
        """Open what `seal` made; raises CannotOpen, or Unavailable where KMS is not to be had."""
        return self._seal().open(sealed)

    def _seal(self) -> "Seal":
        with self._making:  # one for all threads, since each would ask KMS for a data key
            if self._made is None:
                from runtime.sealing import Seal  # noqa: PLC0415

                self._made = Seal(self._aws.client("kms"), self._key, self._context)
            return self._made
