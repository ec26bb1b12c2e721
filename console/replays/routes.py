"""/api/replays: bring what was on a bus to its rules again, having seen first what that is."""

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from console.dead_letters.previews import Previewed, Previews, Text
from console.replays.replays import Replays
from contracts.envelope import ReadModel
from contracts.timestamps import format_timestamp
from operations.environment import Environment
from operations.moments import parse_range
from operations.replay.command import ARCHIVED_AFTER
from operations.replay.replay import Request, request_of, would_come
from runtime.ids import utc_now

RULES_IGNORED = (
    "MiniStack ignores the rules of a replay, and sends its events to every rule of the bus."
)


class ReplayRequest(ReadModel, extra="forbid"):
    """`since` and `until` are moments as `streamed replay` takes them; no rules: to all."""

    bus: Text
    since: Text = Field(alias="from")
    until: Text = Field(default="now", alias="to")
    rules: list[Text] = Field(default=[], max_length=50)


def router(environment: Environment, replays: Replays) -> APIRouter:
    topology, previews = environment.topology, Previews[Request]()
    routes = APIRouter(prefix="/api/replays")

    @routes.get("")
    def list_all() -> dict[str, Any]:
        return {
            "buses": [
                {
                    "bus": archive.bus,
                    "archive": archive.name,
                    "retentionDays": archive.retention_days,
                    "rules": [rule.name for rule in topology.rules if rule.bus == archive.bus],
                }
                for archive in topology.archives
            ],
            "rulesAllowed": not environment.emulated,
            "rulesWhyNot": RULES_IGNORED if environment.emulated else None,
            "replays": replays.documents(),
        }

    @routes.post("/preview")
    def preview(wish: ReplayRequest) -> dict[str, Any]:
        now = utc_now()
        span = parse_range(wish.since, wish.until, now)
        request = request_of(environment, wish.bus, span, wish.rules, now=now)
        events = would_come(environment, request)
        notes = []
        if request.until > now - ARCHIVED_AFTER and not environment.emulated:
            notes.append("Events of the last ten minutes may not be in the archive yet.")
        if not events:
            notes.append("The bus's log has nothing in this range: a replay would bring nothing.")
        return {
            "preview": previews.keep(request),
            "bus": request.bus,
            "from": format_timestamp(request.since),
            "to": format_timestamp(request.until),
            "rules": list(request.rules),
            "events": dict(sorted(events.items())),
            "total": events.total(),
            "notes": notes,
        }

    @routes.post("", status_code=202)
    def start(previewed: Previewed) -> dict[str, Any]:
        return replays.start(previews.take(previewed.preview))

    routes.get("/{name}")(replays.progress)
    routes.delete("/{name}")(replays.cancel)
    return routes
