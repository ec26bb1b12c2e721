"""The prefixed lines of the supervisor's console."""

import io

from local.console import Console, wants_colour


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_only_on_a_terminal() -> None:
    """A pipe or a file gets plain text, and so does a terminal where NO_COLOR is set."""
    assert wants_colour(Terminal(), {})
    assert not wants_colour(Terminal(), {"NO_COLOR": "1"})
    assert not wants_colour(io.StringIO(), {})


def test_lines_are_prefixed_and_coloured() -> None:
    """The name stands in the process's colour, the text as the process wrote it."""
    stream = io.StringIO()
    Console(stream, coloured=True).line("stock-api", 33, b"hello\n")
    assert stream.getvalue() == f"\x1b[33m{'stock-api':<22} │ \x1b[0mhello\n"


def test_bytes_that_are_no_text_are_shown_anyway() -> None:
    """A process may print what it likes."""
    stream = io.StringIO()
    Console(stream).line("odd", 33, b"\xff\n")
    assert stream.getvalue().endswith("│ \N{REPLACEMENT CHARACTER}\n")


def test_a_reader_that_went_away_harms_nobody() -> None:
    """`make up | head`: writing to a closed stream is silent, so that stopping goes on."""
    stream = io.StringIO()
    console = Console(stream)
    stream.close()
    console.say("nobody hears this")
