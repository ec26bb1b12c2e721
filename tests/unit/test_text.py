"""Text that others wrote is shown with its control characters as escapes."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.text import CONTROLS, printable

TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
SEPARATORS = "\u2028\u2029"


def test_every_control_character_is_one() -> None:
    """All that Unicode calls a control, ends of lines and paragraphs, and what turns a text."""
    every = {chr(code) for code in range(0x110000)}
    controls = {each for each in every if unicodedata.category(each) == "Cc"}
    assert {each for each in every if re.fullmatch(f"[{CONTROLS}]", each)} == (
        controls | {*TURNING, *SEPARATORS}
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b2J", r"\x9b2J"),
        ("a\u202eb", r"a\u202eb"),
        ("a\r\nb\tc", r"a\x0d\x0ab\x09c"),
        ("Zo\u00eb \u05d0", "Zo\u00eb \u05d0"),
    ],
)
def test_a_control_character_is_its_escape(text: str, shown: str) -> None:
    """And every letter is itself."""
    assert printable(text) == shown


@given(st.text())
def test_what_is_printable_commands_no_terminal(text: str) -> None:
    """Of several lines the ends stay, and nothing else; what was escaped is not escaped again."""
    assert not re.search(f"[{CONTROLS}]", printable(text))
    lines = printable(text, lines=True)
    assert not re.search(f"[{CONTROLS}]", lines.replace("\n", "").replace("\t", ""))
    assert lines.count("\n") == text.count("\n")
    assert printable(lines, lines=True) == lines
