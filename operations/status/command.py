"""`streamed status`: what waits where, and whether that needs attention."""

import argparse
import time
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from operations.commandline import Parser
from operations.databases import DatabaseEnvironment
from operations.output import Output, age, counted, table
from operations.status.lines import Line, read_status
from runtime.ids import utc_now

NEEDS_ATTENTION = 1


def add(streamed: Parser) -> None:
    command = streamed.command(
        "status",
        "what waits in outboxes, streams and queues, and whether that needs attention",
        description="Look at every outbox, stream, work queue and dead-letter queue, and say of"
        " each\nwhat its numbers mean. Nothing is received from a work queue: a receive counts"
        "\nagainst a message.\n\nExit code 1 if something needs attention.",
        examples=["status", "status --json", "--at aws status"],
    )
    command.set_defaults(run=run)


def run(environment: DatabaseEnvironment, _: argparse.Namespace, output: Output) -> int:
    lines = read_status(environment, now=utc_now, wait=time.sleep)
    count = sum(line.verdict.needs_attention for line in lines)
    note = Text(
        "An emulator does not say how old the oldest message of a work queue is, and to"
        " receive one would count against it.",
        style="dim",
    )
    output.show(
        {"needsPerson": count > 0, "places": [line.document() for line in lines]},
        _table(lines),
        *([note] if environment.emulated else []),
        _sum_up(count),
    )
    return NEEDS_ATTENTION if count else 0


def _table(lines: Sequence[Line]) -> Table:
    numbers = ("waiting", "in flight", "oldest")
    made = table("where", "", *numbers, "verdict", numbers=numbers)
    kind = ""
    for line in lines:
        if kind and line.kind != kind:
            made.add_section()
        made.add_row(
            line.kind if line.kind != kind else "",
            line.name,
            _number(line.waiting),
            _number(line.in_flight),
            "" if line.kind == "stream" or line.waiting == 0 else age(line.oldest),
            Text(line.verdict.text, style="bold red" if line.verdict.needs_attention else ""),
        )
        kind = line.kind
    return made


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _sum_up(count: int) -> Text:
    if not count:
        return Text("nothing needs attention", style="green")
    needs = "needs" if count == 1 else "need"
    return Text(f"{counted(count, 'item')} {needs} attention", style="bold red")
