"""/api/replays: bring what was on a bus to its rules again, having seen first what that is.

EventBridge runs the replays, and the console polls each that it has started until it has ended. One
goes on when the console ends, and is only not followed any more.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from console.dead_letters.previews import Previewed, Previews, Text
from contracts.envelope import ReadModel
from contracts.timestamps import format_timestamp
from operations.environment import Environment
from operations.errors import OperatorError
from operations.moments import parse_range
from operations.replay.command import ARCHIVED_AFTER
from operations.replay.replay import (
    Progress,
    Replay,
    Request,
    TooManyReplays,
    request_of,
    would_come,
)
from runtime.errors import Unavailable
from runtime.ids import utc_now
from runtime.process.shutdown import Stop

LOOK_EVERY = 1.0
"""Seconds."""

COUNTED_WITHIN = 30
"""Looks at the bus's log, once a replay has ended, until no more of it comes."""

MOST_AT_ONCE = 10
"""Replays that run: all that AWS allows in an account."""

KEPT_REPLAYS = 50
"""Replays, with those that have ended."""

RULES_IGNORED = (
    "An emulator ignores the rules of a replay, and sends its events to every rule of the bus."
)

OnChange = Callable[[dict[str, Any]], object]


class UnknownReplay(OperatorError):
    """Another console's, one from before a restart, or none."""

    def __init__(self, name: str) -> None:
        super().__init__(f"this console has started no replay {name}, or has forgotten it since")


class ReplayRequest(ReadModel, extra="forbid"):
    """`since` and `until` are moments as `streamed replay` takes them; no rules: to all."""

    bus: Text
    since: Text = Field(alias="from")
    until: Text = Field(default="now", alias="to")
    rules: list[Text] = Field(default=[], max_length=50)


def router(replays: "Replays") -> APIRouter:
    routes = APIRouter(prefix="/api/replays")
    routes.get("")(replays.list)
    routes.post("/preview")(replays.preview)
    routes.post("", status_code=202)(replays.start)
    routes.get("/{name}")(replays.progress)
    routes.delete("/{name}")(replays.cancel)
    return routes


@dataclass
class Followed:
    """A replay, and how far it was when it was last looked at; `over`: it is no longer polled."""

    replay: Replay
    request: Request
    progress: Progress = field(default_factory=lambda: Progress("STARTING", "", None))
    came: Counter[str] = field(default_factory=Counter)
    trouble: str | None = None
    over: bool = False

    def document(self) -> dict[str, Any]:
        request, progress = self.request, self.progress
        return {
            "name": self.replay.name,
            "bus": request.bus,
            "from": format_timestamp(request.since),
            "to": format_timestamp(request.until),
            "rules": list(request.rules),
            "state": progress.state,
            "reason": progress.reason or self.trouble,
            "reached": format_timestamp(progress.reached) if progress.reached else None,
            "came": dict(self.came),
            "counted": self.over,
        }


class Replays:
    """`on_change` gets each change, from threads of this, until a stop is requested.

    `look_every` is an argument for tests.
    """

    def __init__(
        self,
        environment: Environment,
        stop: Stop,
        on_change: OnChange,
        *,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._environment, self._stop, self._on_change = environment, stop, on_change
        self._look_every = look_every
        self._followed: dict[str, Followed] = {}  # replaced, never changed: readers lock nothing
        self._starting = Lock()
        self._previews = Previews[Request]()

    def list(self) -> dict[str, Any]:
        """Say what can be replayed, and how far each replay is, the newest first."""
        topology, emulated = self._environment.topology, self._environment.emulated
        return {
            "buses": [
                {
                    "bus": archive.bus,
                    "archive": archive.name,
                    "retentionDays": archive.retention_days,
                    "rules": [rule.name for rule in topology.rules if rule.bus == archive.bus],
                }
                for bus in topology.buses
                for archive in [next(a for a in topology.archives if a.bus == bus.name)]
            ],
            "rulesAllowed": not emulated,
            "rulesWhyNot": RULES_IGNORED if emulated else None,
            "replays": [each.document() for each in reversed(self._followed.values())],
        }

    def preview(self, wish: ReplayRequest) -> dict[str, Any]:
        """Raises OperatorError for what cannot be replayed, and Unavailable."""
        now = utc_now()
        span = parse_range(wish.since, wish.until, now)
        request = request_of(self._environment, wish.bus, span, wish.rules, now=now)
        events = would_come(self._environment, request)
        notes = []
        if request.until > now - ARCHIVED_AFTER and not self._environment.emulated:
            notes.append("Events of the last ten minutes may not be in the archive yet.")
        if not events:
            notes.append("The bus's log has nothing for its archive: a replay would bring nothing.")
        return {
            "preview": self._previews.keep(request),
            "bus": request.bus,
            "from": format_timestamp(request.since),
            "to": format_timestamp(request.until),
            "rules": [*request.rules],
            "events": dict(sorted(events.items())),
            "total": events.total(),
            "notes": notes,
        }

    def start(self, previewed: Previewed) -> dict[str, Any]:
        """Raises StalePreview, OperatorError, TooManyReplays, Unavailable."""
        request = self._previews.take(previewed.preview)
        followed = Followed(Replay(self._environment, request), request)
        name = followed.replay.name
        with self._starting:
            if sum(not each.over for each in self._followed.values()) >= MOST_AT_ONCE:
                raise TooManyReplays
            followed.replay.start()
            self._followed = {**self._remembered(), name: followed}
        answer = followed.document()
        Thread(target=self._follow, args=(followed,), name=name, daemon=True).start()
        return answer

    def progress(self, name: str) -> dict[str, Any]:
        """Raises UnknownReplay."""
        return self._find(name).document()

    def cancel(self, name: str) -> dict[str, Any]:
        """Stop a replay; one that has ended stays as it is. Raises UnknownReplay, Unavailable."""
        followed = self._find(name)
        followed.replay.cancel()
        followed.progress = followed.replay.progress()
        return followed.document()

    def _find(self, name: str) -> Followed:
        followed = self._followed.get(name)
        if followed is None:
            raise UnknownReplay(name)
        return followed

    def _remembered(self) -> dict[str, Followed]:
        """All but the oldest that have ended, so that there is room for one more."""
        ended = [name for name, each in self._followed.items() if each.over]
        forgotten = ended[: max(0, len(self._followed) + 1 - KEPT_REPLAYS)]
        return {name: each for name, each in self._followed.items() if name not in forgotten}

    def _follow(self, followed: Followed) -> None:
        looks_left = COUNTED_WITHIN
        while not followed.over and not self._stop.requested:
            before = followed.document()
            ended, came = followed.progress.ended, followed.came
            self._look(followed)
            if ended:
                looks_left -= 1
                followed.over = looks_left == 0 or (came == followed.came and not followed.trouble)
            if followed.document() != before:
                self._on_change(followed.document())
            if not followed.over:
                self._stop.wait(self._look_every)

    def _look(self, followed: Followed) -> None:
        """An outage is shown, and waited out: EventBridge goes on with it meanwhile."""
        try:
            if not followed.progress.ended:
                followed.progress = followed.replay.progress()
            followed.came = followed.replay.came()
            followed.trouble = None
        except Unavailable as error:
            followed.trouble = str(error)
