"""Composition root of the console: `python -m console`."""

import structlog

from console.app import create_app
from console.parts import parts_of
from console.serving import listening, serve
from console.settings import ConsoleSettings
from runtime import logs
from runtime.paths import require_writable_file
from runtime.settings import load

log = structlog.get_logger(__name__)


def run() -> None:
    """Serve until a stop; raises Misconfigured for what is wrong with the environment."""
    settings = load(ConsoleSettings)
    logs.configure(level=settings.log_level, form=settings.log_format, process="console")
    if settings.streamed_audit_file is not None:
        require_writable_file(settings.streamed_audit_file, "STREAMED_AUDIT_FILE")
    parts = parts_of(settings)
    app = create_app(parts)
    socket_ = listening(settings)
    parts.start()
    host, port = socket_.getsockname()[:2]
    log.info("started", address=f"http://{host}:{port}")
    try:
        serve(app, socket_, parts.hub)
    finally:
        parts.end()
    log.info("stopped")
