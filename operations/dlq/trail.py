"""The audit trail: a JSON line for each message that an operator moved or dropped."""

import json
import os
import pwd
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Self

from contracts.timestamps import format_timestamp
from operations.errors import OperatorError
from operations.sources.dead_letters import DeadLetter, object_in
from runtime.ids import utc_now

BLOCK = 64 * 1024
MOST_READ_BYTES = 16 * 1024 * 1024
"""Bytes that are read at a time, and at most, to find the newest lines."""


class Trail:
    """Appends to a file that only its owner reads: a dropped message's line has its whole body.

    Raises OperatorError for a file that cannot be written, before anything else is done.
    """

    def __init__(
        self, path: Path, operation: str, *, now: Callable[[], datetime] = utc_now
    ) -> None:
        self.path, self._operation, self._now = path, operation, now
        self._who = operator()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            self._end_what_a_killed_command_began()
        except OSError as error:
            raise self._unwritable(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def line(self, dead_letter: DeadLetter, outcome: str, **more: Any) -> dict[str, Any]:
        """Make one dead letter's line."""
        return {
            "at": format_timestamp(self._now()),
            "who": self._who,
            "operation": self._operation,
            "queue": dead_letter.queue,
            "messageId": dead_letter.message_id,
            "eventId": dead_letter.event.event_id,
            "eventType": dead_letter.event.event_type,
            "aggregateId": dead_letter.event.aggregate_id,
            **more,
            "outcome": outcome,
        }

    def write(self, lines: Iterable[Mapping[str, Any]]) -> None:
        """Append lines and wait until they are on the disk: what they record happens after.

        Raises OperatorError: without its line nothing is deleted.
        """
        text = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
        data = text.encode(errors="backslashreplace")
        try:
            while data:
                data = data[os.write(self._file, data) :]
            os.fsync(self._file)
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> OperatorError:
        return OperatorError(
            f"the audit file {self.path} cannot be written ({error.strerror}): say another in"
            " STREAMED_AUDIT_FILE; what has no line in it is still in its queue"
        )

    def _end_what_a_killed_command_began(self) -> None:
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")


def newest(path: Path, most: int) -> list[dict[str, Any]]:
    """Read the last `most` lines of a trail, the newest first, from its end on.

    What cannot be read as a line, of a command that was killed in the middle of it, is left out.
    Raises OperatorError for a file that cannot be read; one that is not there has no lines.
    """
    try:
        with path.open("rb") as file:
            found = _last_lines(file, most)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise OperatorError(f"the audit file {path} cannot be read ({error.strerror})") from None
    return list(filter(None, map(object_in, reversed(found))))


def _last_lines(file: BinaryIO, most: int) -> list[bytes]:
    """A drop's line may have megabytes, so blocks are read until there are lines enough."""
    start, tail = file.seek(0, os.SEEK_END), b""
    while start and tail.count(b"\n") <= most and len(tail) < MOST_READ_BYTES:
        block = min(BLOCK, start)
        start -= block
        file.seek(start)
        tail = file.read(block) + tail
    lines = tail.split(b"\n")
    return [each for each in (lines[1:] if start else lines) if each][-most:]


def operator() -> str:
    """The operating system's name for who runs this; its number where there is no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
