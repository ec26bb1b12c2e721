"""Text that others wrote, made safe to show: no terminal and no reader is led astray by it."""

import re

CONTROLS = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
"""What no name needs, as a part of a regular expression's character class.

The controls C0 and C1, which command a terminal, the separators of lines and paragraphs, and the
characters that turn the direction of what follows, so that it reads as something else (UAX 9)."""

_CONTROL = re.compile(f"[{CONTROLS}]")
_CONTROL_IN_LINES = re.compile(f"(?![\n\t])[{CONTROLS}]")


def printable(text: str, *, lines: bool = False) -> str:
    r"""Write each control character as its escape, `\x1b` or `\u202e`.

    `lines`: the text has several, and their ends and tabs stay.
    """
    return (_CONTROL_IN_LINES if lines else _CONTROL).sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 (two digits)
