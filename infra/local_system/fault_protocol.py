"""What the console asks of `make up`, over a Unix socket: a line of JSON there, a line back."""

import socket
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from runtime.errors import Unavailable
from runtime.verdicts import Family

MAX_LINE = 64 * 1024
"""Bytes."""

FAULT_TIMEOUT = 20.0
"""Seconds: a process has ten to stop."""

MAX_PATH = 103
"""Bytes of a Unix socket's path: macOS has 104 with the zero at its end, Linux 108."""


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Look(_Line):
    """Say how everything is, and do nothing."""

    do: Literal["look"] = "look"


class StopProcess(_Line):
    """`kill`: as kill -9 does."""

    do: Literal["stop"] = "stop"
    process: str
    kill: bool = False


class StartProcess(_Line):
    do: Literal["start"] = "start"
    process: str


class Refuse(_Line):
    """Have the buses refuse what the relays publish, or take it again.

    With the errors of a family of failures, where one is named; else they throttle.
    """

    do: Literal["refuse"] = "refuse"
    refuse: bool
    family: Family | None = None


Request = Annotated[Look | StopProcess | StartProcess | Refuse, Field(discriminator="do")]
REQUEST: TypeAdapter[Request] = TypeAdapter(Request)


class Answer(_Line):
    """How everything is after it; or `why` it was not done.

    `processes` says of each that can be stopped whether it runs.
    """

    why: str | None = None
    processes: dict[str, bool] = Field(default_factory=dict)
    refusing: bool = False


class NotBroken(Exception):
    """`make up` did not do it; the message says why."""


def ask(path: Path, request: Request) -> Answer:
    """Have `make up` do something. Raises NotBroken, and Unavailable where it does not listen."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as talk:
            talk.settimeout(FAULT_TIMEOUT)
            talk.connect(str(path))
            talk.sendall(request.model_dump_json().encode() + b"\n")
            with talk.makefile("rb") as answers:
                line = answers.readline(MAX_LINE)
        answer = Answer.model_validate_json(line)
    except (OSError, ValidationError) as error:
        reason = str(error) if isinstance(error, OSError) else "its answer cannot be read"
        raise Unavailable("make up", reason) from None
    if answer.why is not None:
        raise NotBroken(answer.why)
    return answer
