"""`streamed status`: what waits where, and whether that needs a person."""

import argparse

from operations.commandline import Parser
from operations.output import Output
from operations.place import Place


def add(streamed: Parser) -> None:
    command = streamed.command(
        "status",
        "what waits in outboxes, streams and queues, and whether that needs a person",
        examples=["status", "status --json", "status --at aws"],
    )
    command.set_defaults(run=run)


def run(place: Place, arguments: argparse.Namespace, output: Output) -> int:  # noqa: ARG001
    output.show({"at": place.region})
    return 0
