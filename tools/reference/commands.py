"""docs/reference/cli.md: `streamed` from its own grammar, `make` from the Makefile."""

import argparse
import re
from collections.abc import Iterator

from operations.__main__ import parser
from tools.reference.markdown import code, table

HEAD = """# Commands

*Which commands are there, and what are their arguments?* `make` is for developers, `./streamed` for
operators. The processes of the system have no arguments, only [settings](settings.md). `make docs`
writes this page from the Makefile and from the argument parser, and a test compares them.

## `make`

"""

AT = """
Each takes `--at local` (the default: what `make up` serves) or `--at aws`, and `--json` for one
JSON document in place of tables. Exit codes: 0 all is well, 1 something needs attention, 2 it
could not be done, 3 there was nothing to replay, 75 a dependency is down or refuses for now
([failures](failures.md)), 130 interrupted.
[Operations](../operations.md#the-operators-commands-streamed) has more.
"""

_TARGET = re.compile(r"^([a-z-]+):[^#\n]*## (.*)$", re.MULTILINE)
_EVERYWHERE = {"help", "at", "json"}


def page(makefile: str) -> str:
    targets = table(
        ("target", "what it does"),
        [(code(f"make {name}"), what) for name, what in _TARGET.findall(makefile)],
    )
    return HEAD + targets + "\n\n## `./streamed`\n" + AT + "".join(_sections(parser()))


def _sections(command: argparse.ArgumentParser) -> Iterator[str]:
    for child in _children(command):
        if not any(_children(child)):
            yield _section(child)
        yield from _sections(child)


def _children(command: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The commands of a group; none of what is no group."""
    for action in command._actions:  # noqa: SLF001 (argparse has no way to ask)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 (likewise)
            yield from action.choices.values()


def _section(command: argparse.ArgumentParser) -> str:
    rows = [
        (_name(action), _said(action))
        for action in command._actions  # noqa: SLF001 (as above)
        if action.dest not in _EVERYWHERE
    ]
    arguments = table(("argument", "meaning"), rows) + "\n\n" if rows else ""
    examples = (command.epilog or "").partition("examples:\n")[2]
    shown = "\n".join(f"./{line.strip()}" for line in examples.splitlines() if line.strip())
    block = f"```\n{shown}\n```\n" if shown else ""
    return f"\n### {code(f'./{command.prog}')}\n\n{command.description}\n\n{arguments}{block}"


def _name(action: argparse.Action) -> str:
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if action.choices:
        metavar = "|".join(map(str, action.choices))
    if not action.option_strings:
        return code(metavar)
    return code(action.option_strings[-1] + ("" if action.nargs == 0 else f" {metavar}"))


def _said(action: argparse.Action) -> str:
    """Its help, with argparse's placeholders filled in."""
    said = (action.help or "") % {**vars(action), "prog": "streamed"}
    return f"{said} (must be given)" if action.required and action.option_strings else said
