"""`streamed audit`: committed = published + pending, published = handled + queued + dead-lettered.

For other code: `audit(place, since, until)`.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep

from operations.audit.collect import collect, taps
from operations.audit.compare import balance
from operations.audit.report import AuditReport, Difference
from operations.audit.tables import show
from operations.commandline import Parser, count, seconds
from operations.databases import DatabaseEnvironment
from operations.errors import OperatorError
from operations.moments import parse_range
from operations.output import Output
from operations.sources.routes import routes

MISSING_PATIENCE = 10.0
"""Seconds that an event may not be found: between two reads, or during a redrive.

EventBridge mostly takes half a second from PutEvents to a target, and its logs about as long.
"""

AUDIT_INTERVAL = 1.0
"""Seconds between two looks; never less than the last one took, so that looking is half the load
at most."""

DIFFERENT = 1
"""Exit code: a difference, or still in flight after --settle."""


def add(streamed: Parser) -> None:
    command = streamed.command(
        "audit",
        "whether all that was committed was published, and all that was published handled",
        description="Holds what the services' state says was committed against what was published"
        " (the buses'\nlogs, outboxes) and that against what was handled (state again, queues,"
        " dead-letter queues).\nIt changes nothing, and receives from no work queue.",
        examples=[
            "audit",
            "audit --from '2h ago'",
            "audit --from 2026-11-23T09:00:00Z --to 2026-11-23T10:00:00Z --json",
            "audit --settle 60        wait until nothing is on its way",
        ],
    )
    command.add_argument(
        "--from", dest="since", default="24h ago", help="ISO 8601, or such as 2h ago (24h ago)"
    )
    command.add_argument("--to", dest="until", default="now", help="the end of the range (now)")
    command.add_argument(
        "--settle",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
        help="wait at most so long until no event is in flight; exit code 1 if some still are",
    )
    command.add_argument(
        "--limit",
        type=count,
        default=20,
        metavar="N",
        help="differences of a kind to print; --json has all (20)",
    )
    command.set_defaults(run=run)


def run(environment: DatabaseEnvironment, arguments: argparse.Namespace, output: Output) -> int:
    now = datetime.now(UTC)
    since, until = parse_range(arguments.since, arguments.until, now)
    kept = timedelta(days=min(each.retention_days for each in environment.topology.log_groups))
    if since < now - kept:
        raise OperatorError(
            f"--from {arguments.since}: the buses' logs are kept for {kept.days} days only"
        )
    report = audit(environment, since, until, settle=arguments.settle, say=output.line)
    show(report, output, limit=arguments.limit)
    return exit_code(report, settle=arguments.settle)


def exit_code(report: AuditReport, *, settle: float) -> int:
    """1 where something is missing, or is still in flight after --settle."""
    unsettled = settle > 0 and report.in_flight > 0
    return DIFFERENT if unsettled or not report.clean else 0


def audit(
    environment: DatabaseEnvironment,
    since: datetime,
    until: datetime,
    *,
    settle: float = 0.0,
    patience: float = MISSING_PATIENCE,
    say: Callable[[str], None] = lambda _: None,
) -> AuditReport:
    """Audit all that happened from `since` and before `until`.

    What is missing is a difference once it was missing in every look for `patience` seconds; until
    then the audit looks again. With `settle` it also looks, for that many seconds at most, until
    nothing is in flight. Raises Unavailable.
    """
    return looking(
        lambda: balance(
            collect(environment, since, until), routes(environment.topology), taps(environment)
        ),
        settle=settle,
        patience=patience,
        say=say,
    )


def looking(
    balanced: Callable[[], AuditReport],
    *,
    settle: float,
    patience: float,
    say: Callable[[str], None],
    clock: Callable[[], float] = monotonic,
    wait: Callable[[float], object] = sleep,
) -> AuditReport:
    """Look until what is missing has been missing long enough, and what moves has arrived."""
    started = clock()
    missing_since: dict[Difference, float] = {}
    first_ended: float | None = None
    looks = 0
    while True:
        began = clock()
        found = balanced()
        ended = clock()
        looks += 1
        first_ended = ended if first_ended is None else first_ended
        missing_since = {each: missing_since.get(each, ended) for each in found.differences}
        lasting = {each for each, first in missing_since.items() if began - first >= patience}
        report = replace(
            found,
            differences=tuple(each for each in found.differences if each in lasting),
            suspects=tuple(each for each in found.differences if each not in lasting),
            looks=looks,
        )
        # What was missing in the first look has had its time; what is missing since is in flight.
        had_patience = began - first_ended >= patience
        has_settled = report.in_flight == 0 or ended - started >= settle
        if has_settled and (had_patience or not report.suspects):
            return report
        say(
            f"{report.in_flight} in flight, {len(report.suspects)} of them not found: looking again"
        )
        wait(max(AUDIT_INTERVAL, ended - began))
