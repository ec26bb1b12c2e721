"""The edge of a command: any terminal takes its output, and a wrong environment is one sentence."""

import codecs
import os
import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import IO, NoReturn

from runtime.errors import Misconfigured, Unavailable
from runtime.text import printable

FAILED, MISCONFIGURED, INTERRUPTED = 1, 2, 130
"""Exit codes."""

_LIKENESS = {
    "-": ("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "─━═╴╶╸╺"),
    "|": ("│┃║",),
    '"': ("“”„",),
    "'": ("\u2018\u2019",),
    ".": ("…", "".join(map(chr, range(0x2800, 0x2900)))),  # braille: how rich draws a spinner
    "*": ("·•",),
    "x": ("\u00d7",),
    " ": ("\u00a0",),
    ">": ("→",),
    "<": ("←",),
}
PLAIN = {ord(each): plain for plain, texts in _LIKENESS.items() for text in texts for each in text}
"""What we draw with, in ASCII: one character each, so that columns stay where they are."""

REPLACING = "streamed.replacing"
"""The name of the error handler, as in str.encode(errors=…)."""


def run_command(main: Callable[[], int], *, failures: tuple[type[Exception], ...] = ()) -> NoReturn:
    """Run a command and exit with what it returns.

    Misconfigured ends it with its message on stderr and exit code 2; Unavailable and the errors in
    `failures` likewise with 1; Ctrl-C with 130.
    """
    write_on_any_terminal()
    away: tuple[type[Exception], ...] = (Unavailable, *failures)
    try:
        code = main()
    except Misconfigured as error:
        complain(error)
        code = MISCONFIGURED
    except away as error:
        complain(error)
        code = FAILED
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


def complain(sentence: object) -> None:
    """Say on stderr what the person at the terminal should know; of an error, its notes too."""
    notes = getattr(sentence, "__notes__", ())
    sentences = "".join(f"{each}\n" for each in (sentence, *notes))
    sys.stderr.write(printable(sentences, lines=True))


def write_on_any_terminal() -> None:
    """Have stdout and stderr replace what their encoding lacks; one that is closed takes all."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        replacing(getattr(sys, name))


def replacing(stream: IO[str]) -> IO[str]:
    """Have a stream replace what its encoding lacks, where it would raise UnicodeEncodeError."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors=REPLACING)
    return stream


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Replace what we draw with by its likeness in ASCII, and anything else by its escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(PLAIN)
    return text.encode("ascii", errors="backslashreplace").decode("ascii"), error.end


codecs.register_error(REPLACING, _replace)
