"""The terminal that a person reads, by way of rich."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from runtime.text import printable


class Terminal(Console):
    """Shows control characters, where some text has them, as their escapes.

    rich itself hands nearly all of them on to the terminal.
    """

    def render_str(self, text: str, **how: Any) -> Text:
        """Before it is laid out: an escape is wider."""
        return super().render_str(printable(text, lines=True), **how)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Whatever else is drawn, as a Text that was made elsewhere."""
        for each in super().render(renderable, options):
            yield each if each.control else Segment(printable(each.text, lines=True), each.style)
