"""Structured logs: one JSON object a line, with what is bound to the context, and masked."""

import logging
import sys
from functools import partial
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from runtime.masking import masked
from runtime.text import printable


def configure(*, level: str = "INFO", form: str = "json", process: str) -> None:
    """Send structlog's and the standard library's records to stdout in one form."""
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
        [partial(stamp, process), redact, structlog.processors.JSONRenderer()]
        if form == "json"
        else [redact, for_people]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
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


def stamp(process: str, _logger: Any, _method: str, event: EventDict) -> EventDict:
    """Stamp a line with the process that wrote it."""
    event["process"] = process
    return event


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
