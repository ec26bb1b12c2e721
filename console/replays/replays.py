"""The replays that this console has started: each is polled until it has ended.

EventBridge runs them. One goes on when the console ends, and is only not followed any more.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Any

from contracts.timestamps import format_timestamp
from operations.environment import Environment
from operations.errors import OperatorError
from operations.replay.replay import Progress, Replay, Request, TooManyReplays
from runtime.errors import Unavailable
from runtime.process.shutdown import Stop

LOOK_EVERY = 1.0
"""Seconds."""

COUNTED_WITHIN = 30
"""Looks at the bus's log, once a replay has ended, until no more of it comes."""

MOST_AT_ONCE = 10
"""Replays that run: all that AWS allows in an account."""

KEPT_REPLAYS = 50
"""Replays, with those that have ended."""

OnChange = Callable[[dict[str, Any]], object]


class UnknownReplay(OperatorError):
    """Another console's, one from before a restart, or none."""

    def __init__(self, name: str) -> None:
        super().__init__(f"this console has started no replay {name}, or has forgotten it since")


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

    def documents(self) -> list[dict[str, Any]]:
        """How far each is, the newest first."""
        return [each.document() for each in reversed(self._followed.values())]

    def start(self, request: Request) -> dict[str, Any]:
        """Raises NoArchive, TooManyReplays, Unavailable."""
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
