"""`streamed replay`: sends what a bus's archive has of a range of time once more."""

import argparse
from collections import Counter
from datetime import UTC, datetime, timedelta
from time import sleep

from rich.table import Table
from rich.text import Text

from contracts.timestamps import format_timestamp
from operations.commandline import Parser
from operations.environment import Environment
from operations.moments import parse_range
from operations.output import Output, counted, moment, table
from operations.replay.replay import Progress, Replay, Request, request_of, would_come

REPLAY_POLL_INTERVAL = 1.0
"""Seconds between two looks at a replay."""

COUNT_WITHIN = 30
"""Looks at the log, once the replay has ended, until no more of it comes."""

EMPTY_AFTER = 5
"""Looks that find nothing, where nothing is expected, until it is said that there was nothing."""

ARCHIVED_AFTER = timedelta(minutes=10)
"""Until when AWS may take to have an event in the archive, says its guide to replays."""

REPLAY_FAILED, NOTHING_TO_REPLAY = 1, 3
"""Exit codes: the replay failed or was cancelled; it would bring, or brought, no event."""


def add(streamed: Parser) -> None:
    command = streamed.command(
        "replay",
        "send what a bus's archive has of a range of time to its rules once more",
        description="Sends the archived events of a bus to its rules once more, or to some of them."
        "\n\nIt is safe at any time, and as often as you like: every handler is a conditional write"
        " on its\nown aggregate, decided on what is stored, so an event that was handled changes"
        " nothing, and one\nthat was not is handled now. A replayed event has its eventId, and in"
        " its envelope the replay's\nname. EventBridge does not keep the order of events within a"
        " minute; no handler needs it.\n\nCtrl-C cancels the replay; what came until then is as"
        " harmless as the whole. A command that is\nkilled leaves it running.\n\nExit code 3 if"
        " there is nothing to replay: the archive has no event of the range, or with\n--dry-run the"
        " bus's log has none that the archive keeps.",
        examples=[
            "replay --bus stock-event-bus --from '2h ago'",
            "replay --bus payments-event-bus --from 3h --to 2h --rule PaymentsToStockRule",
            "replay --bus stock-event-bus --from '1d ago' --dry-run",
        ],
    )
    command.add_argument(
        "--bus",
        required=True,
        metavar="NAME",
        help="the bus whose archive is replayed; that of an event's source keeps it",
    )
    command.add_argument(
        "--from", dest="since", required=True, metavar="T", help="ISO 8601, or such as 2h ago"
    )
    command.add_argument(
        "--to", dest="until", default="now", metavar="T", help="the end of the range (now)"
    )
    command.add_argument(
        "--rule",
        dest="rules",
        action="append",
        default=[],
        metavar="NAME",
        help="only to this rule of the bus; may be given several times (all)",
    )
    command.add_argument(
        "--dry-run", action="store_true", help="count what the bus's log has of the range, only"
    )
    command.set_defaults(run=run)


def run(environment: Environment, arguments: argparse.Namespace, output: Output) -> int:
    now = datetime.now(UTC)
    span = parse_range(arguments.since, arguments.until, now)
    request = request_of(environment, arguments.bus, span, arguments.rules, now=now)
    if arguments.dry_run:
        return _dry_run(environment, request, output)
    if request.until > now - ARCHIVED_AFTER and not environment.emulated:
        output.line("note: events of the last ten minutes may not be in the archive yet")
    replay = Replay(environment, request)
    try:
        replay.start()
        output.line(
            f"{replay.name}: {request.bus} from {moment(request.since)} to {moment(request.until)}"
            f" to {', '.join(request.rules) or 'every rule'}; Ctrl-C cancels it"
        )
        ended = _follow(replay, output)
        logged = would_come(environment, request)
        came = _settled(replay, ended, logged)
    except KeyboardInterrupt:
        replay.cancel()
        output.line(f"{replay.name} is cancelled, unless it had ended: what came changes nothing")
        raise
    document = _document(request, ended.state, replay.name, came)
    output.show(document, _table(request, came), _verdict(replay, ended, came, logged))
    if ended.state != "COMPLETED":
        return REPLAY_FAILED
    return 0 if came or ended.reached else NOTHING_TO_REPLAY


def _dry_run(environment: Environment, request: Request, output: Output) -> int:
    found = would_come(environment, request)
    output.show(_document(request, "not started", None, found), _table(request, found))
    if not found:
        output.line(
            f"nothing to replay: the log of {_range(request)} has no event that"
            f" {request.archive.name} keeps"
        )
    output.line("a dry run: nothing was sent")
    return 0 if found else NOTHING_TO_REPLAY


def _verdict(replay: Replay, ended: Progress, came: Counter[str], logged: Counter[str]) -> Text:
    request, state = replay.request, f"{ended.state.lower()} {ended.reason}".strip()
    summary = f"{replay.name}: {state}, {came.total()} events"
    if ended.state != "COMPLETED":
        return Text(summary, "red")
    if came or ended.reached:
        return Text(summary, "green")
    nothing = f"nothing to replay: {request.archive.name} has no event of {_range(request)}"
    if logged:
        nothing += (
            f", though the bus's log has {counted(logged.total(), 'event')}: they are not in the"
            " archive yet, or it is younger"
        )
    return Text(nothing, "yellow")


def _range(request: Request) -> str:
    return f"{request.bus} from {moment(request.since)} to {moment(request.until)}"


def _follow(replay: Replay, output: Output) -> Progress:
    """Say how far it is whenever that changes, until it ends."""
    said = None
    while True:
        progress = replay.progress()
        if progress != said:
            reached = f", up to {moment(progress.reached)}" if progress.reached else ""
            output.line(f"{progress.state.lower()}{reached}")
            said = progress
        if progress.ended:
            return progress
        sleep(REPLAY_POLL_INTERVAL)


def _settled(replay: Replay, ended: Progress, logged: Counter[str]) -> Counter[str]:
    """Count what came, once the log has no more of it than a moment before.

    The first line may be late. It is waited for longer where EventBridge says that it replayed an
    event, or where `logged`, what the log had of the range before, is something.
    """
    looks_until_empty = COUNT_WITHIN if ended.reached or logged else EMPTY_AFTER
    came = replay.came()
    for look in range(1, COUNT_WITHIN + 1):
        if look > looks_until_empty and not came:
            break
        sleep(REPLAY_POLL_INTERVAL)
        before, came = came, replay.came()
        if came and came == before:
            break
    return came


def _table(request: Request, events: Counter[str]) -> Table:
    rows = table("event", "events", title=f"on {request.bus}", numbers=("events",))
    for event_type, count in sorted(events.items()):
        rows.add_row(event_type, str(count))
    return rows


def _document(
    request: Request, state: str, name: str | None, events: Counter[str]
) -> dict[str, object]:
    return {
        "name": name,
        "bus": request.bus,
        "from": format_timestamp(request.since),
        "to": format_timestamp(request.until),
        "rules": request.rules,
        "state": state,
        "events": events,
    }
