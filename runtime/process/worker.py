"""Runs a background process: its parts in threads, its health beside them, until it is stopped."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from time import monotonic
from typing import NoReturn, TypeVar

import structlog
from prometheus_client import CollectorRegistry

from runtime.errors import Misconfigured, Unavailable
from runtime.process.command import write_on_any_terminal
from runtime.process.garbage import keep_loaded
from runtime.process.health import Readiness
from runtime.process.health_server import HealthServer
from runtime.process.shutdown import Stop, join_until, on_signal
from runtime.retry import backoff
from runtime.settings import WorkerSettings
from runtime.verdicts import RULES, Verdict

log = structlog.get_logger(__name__)

T = TypeVar("T")

STOP_WITHIN = 9.5
"""Seconds from a stop's request to the end of the process, which has 10."""


def run_worker(
    settings: WorkerSettings,
    *,
    prepare: Callable[[], Mapping[str, Callable[[], None]]],
    stop: Stop,
    readiness: Readiness,
    registry: CollectorRegistry,
    stop_within: float = STOP_WITHIN,
) -> None:
    """Prepare the parts, run each in a thread, and return when all have ended after a stop.

    `prepare` is tried again while what it needs is Unavailable, unless a setting has to be changed
    for it: that raises Misconfigured. Once the parts run, the same error holds. A part that ends by
    an error stops the others, and the error is raised here: the supervisor starts a new
    process.
    A part that has not ended `stop_within` seconds after a stop waits for an answer that does not
    come: the process then leaves without it, with exit code 1. What it held comes again.
    """
    failures: list[Exception] = []

    def guarded(name: str, part: Callable[[], None]) -> None:
        try:
            part()
        except Exception as error:  # noqa: BLE001 (raised again, when all have ended)
            log.error("part failed", part=name, reason=str(error))  # noqa: TRY400 (main logs it)
            failures.append(error)
        finally:
            stop.request()

    server = HealthServer(
        settings.health_host, settings.health_port, readiness=readiness, registry=registry
    )
    with on_signal(stop), server.serving():
        parts = until_available(prepare, stop, starting=True)
        threads = [
            threading.Thread(target=guarded, args=item, name=item[0])
            for item in (parts or {}).items()
        ]
        keep_loaded()
        for thread in threads:
            thread.start()
        log.info("started", parts=sorted(parts or ()))
        stop.wait()
        log.info("stopping")
        join_until(threads, monotonic() + stop_within)
    if stuck := [thread.name for thread in threads if thread.is_alive()]:
        log.error("stopped without waiting any longer", parts=stuck)
        logging.shutdown()
        os._exit(1)
    log.info("stopped")
    if failures:
        raise failures[0]


def until_available(attempt: Callable[[], T], stop: Stop, *, starting: bool = False) -> T | None:
    """Try until it is available; None if a stop was requested first.

    When `starting`, raises Misconfigured for what `runtime.verdicts` says a start must end for.
    """
    tries = 0
    while not stop.requested:
        try:
            return attempt()
        except Unavailable as error:
            rule = RULES[error.family]
            if starting and rule.at_start is Verdict.EXIT:
                raise Misconfigured(f"{error}: {rule.means}") from error
            tries += 1
            log.warning("waiting at start", reason=str(error))
            stop.wait(backoff(tries, first=0.25, longest=10))
    return None


def main(commands: Mapping[str, Callable[[], None]]) -> NoReturn:
    """Run the command that the arguments name, and exit.

    Exit codes: 0 after an orderly stop, 1 after a failure, 2 when the process is misconfigured,
    with one message on stderr that names everything to fix.
    """
    write_on_any_terminal()
    command = commands.get(" ".join(sys.argv[1:]))
    if command is None:
        sys.stderr.write(f"say what to run: {', '.join(commands)}\n")
        sys.exit(2)
    try:
        command()
    except Misconfigured as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except Exception:
        log.exception("process failed")
        sys.exit(1)
    sys.exit(0)
