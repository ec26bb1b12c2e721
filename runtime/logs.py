"""Structured logs: one JSON object a line, with what is bound to the context, without bank data."""

import logging
import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from runtime.text import printable

MASK = "***"

_SECRET_KEYS = {"accountnumber", "accountname", "accountsortcode"}
# A sort code, or the 6 to 10 digits of one without dashes or of an account number, standing alone:
# not inside an id, a date, a time or a decimal.
_SECRET_TEXT = re.compile(r"(?<![\w-])(?<!\d[.:])(?:\d{2}-\d{2}-\d{2}|\d{6,10})(?![\w-])(?![.:]\d)")


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
        [named(process), redact, structlog.processors.JSONRenderer()]
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
    for chatty in ("botocore", "boto3", "httpx", "urllib3", "pymongo", "uvicorn.error"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def named(process: str) -> Processor:
    """Stamp every line with the process that wrote it."""

    def stamp(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    return stamp


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
    """Mask bank details wherever they stand: under their names, at any depth, and inside texts."""
    return {key: _masked(key, value) for key, value in event.items()}


def mask(text: str) -> str:
    """Replace whatever in a text may be an account number or a sort code."""
    return _SECRET_TEXT.sub(MASK, text)


def _masked(key: str, value: Any) -> Any:
    if key.replace("_", "").lower() in _SECRET_KEYS:
        return MASK
    if isinstance(value, str) and key != "timestamp":
        return mask(value)
    if isinstance(value, dict):
        return {name: _masked(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(key, inner) for inner in value]
    return value
