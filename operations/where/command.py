"""`streamed where`: the whole story of a subscription, or of one event."""

import argparse

from rich.console import RenderableType
from rich.text import Text

from contracts.timestamps import format_timestamp
from operations.audit.look import taps
from operations.commandline import Parser
from operations.output import UNKNOWN, Output, table
from operations.place import Place
from operations.sources.routes import routes
from operations.where.search import Found, find, gather
from operations.where.story import Evidence, Story, tell

INCOMPLETE = 1
"""Exit code: something is missing."""


def add(streamed: Parser) -> None:
    command = streamed.command(
        "where",
        "the whole story of a subscription or an event, and what is still missing",
        description="Tells, in order of time, where a subscription's events were committed,"
        " published and handled,\nand what has yet to happen. An event's id tells of that event and"
        " all it led to.\nExit code 1 if something is missing, 2 if nobody knows the id.",
        examples=["where 0199d8a6-5b1e-7c3a-9f51-6c1f0a1d2e3b", "where SUBSCRIPTION_ID --json"],
    )
    command.add_argument("id", metavar="EVENT_ID|SUBSCRIPTION_ID")
    command.set_defaults(run=run)


def run(place: Place, arguments: argparse.Namespace, output: Output) -> int:
    found = find(place, arguments.id.strip())
    evidence = gather(place, found.aggregate_id)
    story = tell(evidence, routes(place.topology), taps(place), event_id=found.event_id)
    output.show(
        _document(found, evidence, story),
        _state(found, evidence),
        _steps(story),
        *([_missing(story)] if story.missing else []),
        Text("something is missing", "red") if story.missing else Text("complete", "green"),
    )
    return INCOMPLETE if story.missing else 0


def _document(found: Found, evidence: Evidence, story: Story) -> dict[str, object]:
    return {
        "subscriptionId": found.aggregate_id,
        "eventId": found.event_id,
        "complete": not story.missing,
        "state": {
            domain: {"status": each.status, "version": each.version, "updated": each.updated}
            for domain, each in evidence.standings.items()
        },
        "story": [step.as_document() for step in story.steps],
        "missing": [gap.as_document() for gap in story.missing],
    }


def _state(found: Found, evidence: Evidence) -> RenderableType:
    of = f"event {found.event_id} of " if found.event_id else ""
    title = f"{of}subscription {found.aggregate_id}"
    rows = table("service", "status", "version", "since", title=title, numbers=("version",))
    for domain, each in evidence.standings.items():
        rows.add_row(domain, each.status, str(each.version), format_timestamp(each.updated))
    return rows


def _steps(story: Story) -> RenderableType:
    rows = table("when", "event", "where", "what", "event id", title="what happened")
    for step in story.steps:
        at = format_timestamp(step.at) if step.at else UNKNOWN
        rows.add_row(at, step.event_type, step.place, step.what, step.event_id or UNKNOWN)
    return rows


def _missing(story: Story) -> RenderableType:
    rows = table("event", "what is missing", "where it probably is", "event id", title="missing")
    for gap in story.missing:
        rows.add_row(gap.event_type, gap.what, gap.probably, gap.event_id or UNKNOWN)
    return rows
