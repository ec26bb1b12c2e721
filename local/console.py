"""What a person sees: every line under the name of its process, in that process's colour."""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock
from typing import TextIO

from runtime.process.command import replacing
from runtime.text import printable

NAME_WIDTH = 22


class Console:
    """Writes whole lines from many threads to one stream; `coloured` None asks the stream."""

    def __init__(self, stream: TextIO = sys.stdout, *, coloured: bool | None = None) -> None:
        self._stream = replacing(stream)
        self._coloured = wants_colour(stream) if coloured is None else coloured
        self._lock = Lock()

    def line(self, name: str, colour: int, text: bytes) -> None:
        """A process said something."""
        prefix = f"{name:<{NAME_WIDTH}} │ "
        if self._coloured:
            prefix = f"\x1b[{colour}m{prefix}\x1b[0m"
        self._write(prefix + printable(text.decode(errors="replace").rstrip("\r\n")))

    def say(self, text: str) -> None:
        """We say something, which may have what a process said in it."""
        text = printable(text, lines=True)
        self._write(f"\x1b[1m{text}\x1b[0m" if self._coloured else text)

    def _write(self, text: str) -> None:
        # The reader may be gone (`make up | head`): the processes go on, and must be stopped well.
        with self._lock, suppress(OSError, ValueError):
            self._stream.write(text + "\n")
            self._stream.flush()


def wants_colour(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Colours go to a terminal only, and not where NO_COLOR is set (https://no-color.org)."""
    return stream.isatty() and not environ.get("NO_COLOR")
