"""Structured logs: one JSON object a line, with what is bound to the context, and masked."""

import json
import logging
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from runtime.masking import masked
from runtime.text import printable


def configure(*, level: str = "INFO", form: str = "json", process: str) -> None:
    """Send structlog's and the standard library's records to stdout in one form.

    Ours do not pass through the standard library's loggers: those take twice the CPU of a line.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(
            fmt="iso" if form == "json" else "%H:%M:%S.%f", utc=form == "json"
        ),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    last: list[Processor] = (
        [partial(stamp, process), redact, as_json] if form == "json" else [redact, for_people]
    )
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=partial(_Stdout, last),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.PositionalArgumentsFormatter()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for chatty in ("botocore", "boto3", "httpx", "httpcore", "urllib3", "pymongo", "uvicorn.error"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # A traceback for each message that it refuses; its reader says why in one line.
    logging.getLogger("aws_encryption_sdk").setLevel(logging.CRITICAL)


class _Stdout:
    """What writes our lines, each whole; `name` is its module's.

    A line that cannot be written, since nothing reads stdout any longer, is no error of its caller.
    """

    _lock = threading.RLock()  # a signal may come while a line is written, and log too

    def __init__(self, renderers: Sequence[Processor], name: str = "") -> None:
        self._renderers, self.name = renderers, name

    def msg(self, /, **event: Any) -> None:
        line: Any = event
        try:
            for render in self._renderers:
                line = render(self, "msg", line)
            with self._lock:
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
        except Exception as error:  # noqa: BLE001 (as the standard library's handlers have it)
            with suppress(OSError, ValueError):
                sys.stderr.write(f"a log line was lost: {type(error).__name__}\n")

    debug = info = warning = error = critical = msg


def stamp(process: str, _logger: Any, _method: str, event: EventDict) -> EventDict:
    """Stamp a line with the process that wrote it."""
    event["process"] = process
    return event


def as_json(_logger: Any, _method: str, event: EventDict) -> str:
    """Write a line for machines; what `redact` leaves has a form in JSON."""
    return json.dumps(event)


def for_people(_logger: Any, _method: str, event: EventDict) -> str:
    """Write a line for a terminal: time, level if it matters, what happened, and the rest."""
    timestamp, level = event.pop("timestamp")[:-3], event.pop("level")
    event.pop("logger")
    said, trace = event.pop("event"), event.pop("exception", "")
    mark = "" if level == "info" else f"{level.upper()} "
    fields = " ".join(f"{key}={_terse(value)}" for key, value in sorted(event.items()))
    line = printable(f"{timestamp} {mark}{said} {fields}".rstrip())
    return line + (f"\n{printable(trace, lines=True)}" if trace else "")


def _terse(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def redact(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Mask personal data wherever it stands: under its names, at any depth, and inside texts."""
    return {
        key: value if key == "timestamp" else masked(value, key) for key, value in event.items()
    }
