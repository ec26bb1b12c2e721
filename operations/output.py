"""What a command says: tables and lines for people, or one JSON document for programs."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from errno import EPIPE
from io import StringIO
from os import strerror
from typing import IO, Any

from pydantic.alias_generators import to_camel
from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table

from contracts.timestamps import format_timestamp
from runtime.process.command import replacing
from runtime.terminal import Terminal

UNKNOWN_VALUE = "\N{EN DASH}"

PIPED_WIDTH = 240
"""Columns where the output is no terminal: a line that is cut can be neither searched nor read."""


class Output:
    """`as_json`: `show` prints its document, and lines go to stderr, so that stdout is the JSON."""

    def __init__(
        self,
        *,
        as_json: bool = False,
        stdout: IO[str] | None = None,
        stderr: IO[str] | None = None,
    ) -> None:
        self.as_json = as_json
        self._stdout, self._stderr = _stream(stdout or sys.stdout), _stream(stderr or sys.stderr)
        self._console, self._errors = _PlainConsole(self._stdout), _PlainConsole(self._stderr)

    def show(
        self, document: Mapping[str, Any] | Sequence[Any], *renderables: RenderableType
    ) -> None:
        """Print the result: `document` (camelCase keys) with --json, else the tables and lines."""
        if self.as_json:
            # ASCII: half a surrogate pair, which JSON can name, is in no encoding.
            self._stdout.write(f"{json.dumps(document, default=_jsonable, indent=2)}\n")
            self._stdout.flush()
            return
        for each in renderables:
            self._console.print(each)

    def line(self, text: str, *, style: str | None = None) -> None:
        """Say how it goes; to stderr with --json."""
        console = self._errors if self.as_json else self._console
        console.print(text, style=style, highlight=False, soft_wrap=True)

    def complain(self, sentence: str) -> None:
        """Say on stderr why the command cannot do what was asked."""
        self._errors.print(sentence, style="red", highlight=False, soft_wrap=True)


def as_document(record: Any, *names: str) -> dict[str, Any]:
    """Write the fields of a dataclass, or those that are named, as JSON has them: in camelCase."""
    return {
        to_camel(name): getattr(record, name)
        for name in names or [each.name for each in fields(record)]
    }


def table(*columns: str, title: str | None = None, numbers: Sequence[str] = ()) -> Table:
    """A table in the house's form; the columns in `numbers` are right-aligned."""
    made = Table(
        title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False
    )
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    return made


def counted(number: int, noun: str) -> str:
    """So many of something, whose name takes an s: "1 message", "2 messages"."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def age(span: timedelta | None) -> str:
    """A span of time as people say it: "12 s", "4 min", "3 h", "2 d"; unknown is a dash."""
    if span is None:
        return UNKNOWN_VALUE
    seconds = max(0, int(span.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def moment(when: datetime | None) -> str:
    """A time to the second, in UTC; unknown is a dash."""
    return UNKNOWN_VALUE if when is None else f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


class _PlainConsole(Terminal):
    """Prints texts as they are: an id such as `[/]` is no markup, and `:x:` no picture.

    A reader that has gone away ends the command as any output does that cannot be written.
    """

    def __init__(self, file: IO[str]) -> None:
        width = None if file.isatty() else PIPED_WIDTH
        super().__init__(file=file, width=width, markup=False, emoji=False)

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(EPIPE, strerror(EPIPE))


def _stream(file: IO[str] | None) -> IO[str]:
    """Have a stream take every text; a closed one takes nothing."""
    return StringIO() if file is None else replacing(file)


def _jsonable(value: object) -> object:
    if isinstance(value, datetime):
        return format_timestamp(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value)
