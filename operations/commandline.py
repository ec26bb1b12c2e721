"""The command line's grammar: every command takes --at and --json, and shows how it is used."""

import argparse
import math
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn, Self

USAGE = 2


class Parser(argparse.ArgumentParser):
    """A command, or a group of commands. Wrong use is one sentence on stderr, and exit code 2."""

    _commands: Any = None

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **settings
        )
        # SUPPRESS: what is said before the command's name must not be undone after it.
        where = self.add_argument_group("where")
        where.add_argument(
            "--at",
            choices=("local", "aws"),
            default=argparse.SUPPRESS,
            help="what `make up` serves, or what the AWS_… and MONGODB_… variables name"
            " (STREAMED_AT, else local)",
        )
        where.add_argument(
            "--json",
            action="store_true",
            default=argparse.SUPPRESS,
            help="print one JSON document instead of tables",
        )

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Read a command line; what a shell passes that is not UTF-8 names nothing here."""
        if any(re.search("[\ud800-\udfff]", each) for each in arguments):
            self.error("an argument is not UTF-8")
        return self.parse_args(arguments)

    def command(
        self, name: str, summary: str, *, description: str = "", examples: Sequence[str] = ()
    ) -> Self:
        """Add a command to this group. A leaf sets `run`; examples follow `streamed`."""
        if self._commands is None:
            self._commands = self.add_subparsers(
                title="commands", metavar="COMMAND", required=True, parser_class=type(self)
            )
        shown = "\n".join(f"  streamed {example}" for example in examples)
        command: Self = self._commands.add_parser(
            name,
            help=summary,
            description=description or f"{summary[0].upper()}{summary[1:]}.",
            epilog=f"examples:\n{shown}" if examples else None,
        )
        return command

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{message}: see `{self.prog} --help`\n")
        sys.exit(USAGE)


def count(text: str) -> int:
    """Read an argument that counts something: 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} must be a positive integer")
    return int(text)


def seconds(text: str) -> float:
    """Read an argument that is a span of time: 0 or more, and finite."""
    span = _number(text)
    if not 0 <= span < math.inf:
        raise argparse.ArgumentTypeError(f"{text} must be a number of seconds, 0 or more")
    return span


def rate(text: str) -> float:
    """Read an argument that is a rate per second: above 0, and finite."""
    a_second = _number(text)
    if not 0 < a_second < math.inf:
        raise argparse.ArgumentTypeError(f"{text} must be a number above 0")
    return a_second


def _number(text: str) -> float:
    """Read a number; whatever else the text is becomes nan, which is in no range."""
    try:
        return float(text)
    except ValueError:
        return math.nan
