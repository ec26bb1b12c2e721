"""`streamed …`, which is `python -m operations …`: the operator's commands."""

import os
import signal
import sys
from collections.abc import Sequence
from typing import TextIO

from botocore.exceptions import BotoCoreError, ClientError
from pymongo.errors import PyMongoError

from operations.audit import command as audit
from operations.commandline import Parser
from operations.databases import DatabaseEnvironment
from operations.dlq import command as dlq
from operations.erase import command as erase
from operations.errors import OperatorError
from operations.output import Output
from operations.replay import command as replay
from operations.status import command as status
from operations.webhook import command as webhook
from operations.where import command as where
from runtime import aws, mongodb
from runtime.errors import Misconfigured, Unavailable
from runtime.process.command import INTERRUPTED, write_on_any_terminal
from runtime.verdicts import RULES, Family, Verdict

CANNOT, AWAY = 2, 75
"""Exit codes. A command's own are 0, all is well, 1, something needs attention, and a replay's 3.
AWAY is for what passes by itself: the command may be run again as it is (EX_TEMPFAIL of
sysexits.h).
"""

COMMAND_ERRORS = (
    OperatorError,
    Misconfigured,
    Unavailable,
    ClientError,
    BotoCoreError,
    PyMongoError,
    OSError,
)


def main(argv: Sequence[str] | None = None) -> int:
    write_on_any_terminal()
    arguments = parser().parse(sys.argv[1:] if argv is None else argv)
    output = Output(as_json=getattr(arguments, "json", False))
    try:
        environment = DatabaseEnvironment.at(getattr(arguments, "at", None))
        code: int = arguments.run(environment, arguments, output)
    except COMMAND_ERRORS as error:
        output.complain(_sentence(error))
        return _exit_code(error)
    except KeyboardInterrupt:
        output.complain("stopped; nothing is lost")
        return INTERRUPTED
    return code


def _exit_code(error: Exception) -> int:
    """By the verdict that a process at its start would have: to hold on, or to end."""
    family = _family(error)
    waits = family is not None and RULES[family].at_start is Verdict.HOLD
    return AWAY if waits else CANNOT


def _family(error: Exception) -> Family | None:
    match error:
        case Unavailable():
            return error.family
        case ClientError() | BotoCoreError():
            return aws.family_of(error)
        case PyMongoError():
            return mongodb.family_of(error)
    return None


def _sentence(error: Exception) -> str:
    match error:
        case Unavailable(family=Family.AWAY):
            return f"{error}: is the system up there, and are --at, settings and rights right?"
        case Unavailable():
            return f"{error}: {RULES[error.family].means}"
        case ClientError():
            return f"AWS refused {error.operation_name}: {aws.error_code(error)}: {error}"
        case BotoCoreError() | PyMongoError():
            return f"{type(error).__name__}: {error}"
        case OSError():
            _leave_unwritten(sys.stdout)
            return f"the output cannot be written: {error.strerror or error}"
    return str(error)


def _leave_unwritten(stream: TextIO | None) -> None:
    """Keep Python from writing once more at its end, and failing: `| head` reads no more."""
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def parser() -> Parser:
    streamed = Parser(
        prog="streamed",
        description="Looks after the system: what waits, what failed, and how it goes on.",
        epilog="examples:\n"
        "  streamed status              what waits, and what needs attention\n"
        "  streamed dlq list            what could not be delivered or handled, and why\n"
        "  streamed --at aws status     the same for an AWS account\n"
        "\n"
        "exit codes: 0 all is well, 1 something needs attention, 2 the command could not do it,\n"
        "3 there was nothing to replay, 75 not now: a dependency is away or refuses for now,\n"
        "130 interrupted.\n"
        "`streamed COMMAND --help` shows more.",
    )
    for command in (status, dlq, where, audit, replay, erase, webhook):
        command.add(streamed)
    return streamed


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # releases its leases as well
    sys.exit(main())
