"""HTML from values: whatever is not markup already is escaped."""

from collections.abc import Sequence
from html import escape


class Markup(str):
    """Text that is HTML; only this module makes it."""

    __slots__ = ()


Child = str | None | Sequence["Child"]
"""Markup stays as it is, any other text is escaped, None is nothing."""

_VOID = {"link", "meta"}


def element(name: str, /, *children: Child, **attributes: str | None) -> Markup:
    """Make an element. An attribute's `_` is `-`, a trailing one is dropped: class_, data_kind."""
    opened = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{opened}>")
    return Markup(f"<{name}{opened}>{_html(children)}</{name}>")


def _html(child: Child) -> str:
    match child:
        case None:
            return ""
        case Markup():
            return child
        case str():
            return escape(child)
        case _:
            return "".join(map(_html, child))
