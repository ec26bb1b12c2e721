"""`streamed where`: the journey of a subscription, or of one event."""

import argparse
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from contracts.timestamps import format_timestamp
from operations.audit.collect import taps
from operations.commandline import Parser
from operations.databases import DatabaseEnvironment
from operations.journey.timeline import Commit, DeadLettered, Journey, OnBus, Step, Wait, build
from operations.output import UNKNOWN_VALUE, Output, table
from operations.sources.routes import routes
from operations.where.search import find, gather

INCOMPLETE = 1
"""Exit code: something is missing."""


def add(streamed: Parser) -> None:
    command = streamed.command(
        "where",
        "the journey of a subscription or an event, and what is still missing",
        description="Shows, in order of time, where a subscription's events were committed,"
        " published and handled,\nand what has yet to happen. An event's id shows that event and"
        " all it caused.\nExit code 1 if something is missing, 2 if the id is not found.",
        examples=["where 0199d8a6-5b1e-7c3a-9f51-6c1f0a1d2e3b", "where SUBSCRIPTION_ID --json"],
    )
    command.add_argument("id", metavar="EVENT_ID|SUBSCRIPTION_ID")
    command.set_defaults(run=run)


def run(environment: DatabaseEnvironment, arguments: argparse.Namespace, output: Output) -> int:
    aggregate_id, event_id = find(environment, arguments.id.strip())
    evidence = gather(environment, aggregate_id)
    journey = build(evidence, routes(environment.topology), taps(environment), event_id=event_id)
    output.show(
        document(journey),
        _states(journey),
        _steps(journey),
        *([_gaps(journey)] if journey.gaps else []),
        Text("something is missing", "red") if journey.gaps else Text("complete", "green"),
    )
    return INCOMPLETE if journey.gaps else 0


def document(journey: Journey) -> dict[str, object]:
    return {
        "subscriptionId": journey.evidence.aggregate_id,
        "eventId": journey.event_id,
        "complete": not journey.gaps,
        "state": {
            domain: {"status": each.status, "version": each.version, "updated": each.updated}
            for domain, each in journey.evidence.states.items()
        },
        "story": story(journey),
        "missing": [gap.as_document() for gap in journey.gaps],
    }


def story(journey: Journey) -> list[dict[str, Any]]:
    """Write the steps; a commit that no state knows of is a gap, and no step."""
    return [
        {
            "at": step.at,
            "eventType": step.key.event_type,
            "eventId": step.event_id,
            "place": place,
            "what": what,
        }
        for step in journey.steps
        if not isinstance(step, Commit) or step.stated
        for place, what in (_described(step),)
    ]


def _described(step: Step) -> tuple[str, str]:
    """Where it happened, and what."""
    match step:
        case Commit():
            on = f", on {' and '.join(step.causes)}" if step.causes else ""
            return step.domain, f"committed, version {step.key.sequence}{on}"
        case Wait(row=row):
            why_not = f", which cannot publish it: {row.problem}" if row.problem is not None else ""
            return row.outbox, f"waits for {row.relay}{why_not}"
        case OnBus(replay_name=str()):
            return step.bus, f"replayed by {step.replay_name}"
        case OnBus():
            what = f"came on from {step.origin}" if step.origin else "published"
            return step.bus, what + (", again" if step.again else "")
        case DeadLettered(dead_letter=found):
            return found.queue, f"dead-lettered by {found.by}: {found.why}"


def _states(journey: Journey) -> RenderableType:
    of = f"event {journey.event_id} of " if journey.event_id else ""
    title = f"{of}subscription {journey.evidence.aggregate_id}"
    rows = table("service", "status", "version", "since", title=title, numbers=("version",))
    for domain, each in journey.evidence.states.items():
        rows.add_row(domain, each.status, str(each.version), format_timestamp(each.updated))
    return rows


def _steps(journey: Journey) -> RenderableType:
    rows = table("when", "event", "where", "what", "event id", title="what happened")
    for each in story(journey):
        rows.add_row(
            _time(each["at"]),
            each["eventType"],
            each["place"],
            each["what"],
            each["eventId"] or UNKNOWN_VALUE,
        )
    return rows


def _time(at: datetime | None) -> str:
    return format_timestamp(at) if at else UNKNOWN_VALUE


def _gaps(journey: Journey) -> RenderableType:
    rows = table("event", "what is missing", "where it probably is", "event id", title="missing")
    for gap in journey.gaps:
        rows.add_row(gap.event_type, gap.what, gap.probably, gap.event_id or UNKNOWN_VALUE)
    return rows
