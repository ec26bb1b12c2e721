"""What a PromQL expression asks for: its metrics, their labels, and what it groups by.

It knows as much of the language as our dashboards and alerts use, and checks no grammar.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\s+
    | (?P<token>
        "(?:[^"\\]|\\.)*"            # a label's value
      | [A-Za-z_:][\w:]*
      | \$?\w+(?:\.\d+)?           # a number, a range, or a variable of the dashboard's
      | [<>=!]= | [=!]~
      | . )""",
    re.VERBOSE | re.DOTALL,
)
_NAME = re.compile(r"[A-Za-z_:][\w:]*")
_GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_OPERATORS = {"and", "or", "unless", "bool", "offset"}


@dataclass(frozen=True)
class Selector:
    """A metric, and what it is asked to have: (label, operator, value)."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...] = ()

    @property
    def labels(self) -> set[str]:
        return {label for label, _, _ in self.matchers}


@dataclass(frozen=True)
class Query:
    selectors: tuple[Selector, ...]
    grouped: frozenset[str]
    """Labels that an aggregation keeps or drops, or that two sides are matched by."""


def read(expression: str) -> Query:
    """Raises ValueError where a brace or a parenthesis does not end."""
    tokens = [match["token"] for match in _TOKEN.finditer(expression) if match["token"]]
    selectors: list[Selector] = []
    grouped: set[str] = set()
    at = 0
    while at < len(tokens):
        token, following = tokens[at], (tokens[at + 1 : at + 2] or [""])[0]
        if token in _GROUPING and following == "(":
            end = _end(tokens, at, ")")
            grouped |= {each for each in tokens[at + 2 : end] if _NAME.fullmatch(each)}
            at = end
        elif token == "[":
            at = _end(tokens, at, "]")
        elif _is_metric(token, following):
            matchers: tuple[tuple[str, str, str], ...] = ()
            if following == "{":
                end = _end(tokens, at, "}")
                matchers, at = tuple(_matchers(tokens[at + 2 : end])), end
            selectors.append(Selector(token, matchers))
        at += 1
    return Query(tuple(selectors), frozenset(grouped))


def _is_metric(token: str, following: str) -> bool:
    """Whether a token is a metric's name: a function has a parenthesis behind it, or a grouping."""
    return (
        _NAME.fullmatch(token) is not None
        and token not in _OPERATORS | _GROUPING
        and following != "("
        and following not in {"by", "without"}
    )


def _matchers(tokens: list[str]) -> Iterator[tuple[str, str, str]]:
    for label, operator, value in zip(tokens[::4], tokens[1::4], tokens[2::4], strict=True):
        yield label, operator, value.strip('"')


def _end(tokens: list[str], start: int, closing: str) -> int:
    try:
        return tokens.index(closing, start)
    except ValueError:
        raise ValueError(f"no {closing} after {' '.join(tokens[start:])}") from None
