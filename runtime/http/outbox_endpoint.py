"""GET /outbox: how many events of a service wait to be published, for whoever watches from afar."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Self

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from contracts.envelope import WireModel
from runtime.http.problem_kinds import UNAVAILABLE
from runtime.http.problems import documented
from runtime.outbox.stats import MOST_COUNTED, Backlog

_EXAMPLE: JsonDict = {"depth": 3, "atLeast": False, "oldestAgeSeconds": 0.4}


class BacklogView(WireModel):
    """What waits in the outbox."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    depth: int = Field(description="Events that are committed and not yet published.", ge=0)
    at_least: bool = Field(description=f"There are more: only {MOST_COUNTED} are counted.")
    oldest_age_seconds: float | None = Field(
        description="Age of the oldest event that was counted and whose time can be read; null"
        " without any.",
        ge=0,
    )

    @classmethod
    def of(cls, backlog: Backlog, now: datetime) -> Self:
        age = None if backlog.oldest is None else (now - backlog.oldest).total_seconds()
        return cls(
            depth=backlog.depth,
            at_least=backlog.at_least,
            oldest_age_seconds=None if age is None else round(max(0.0, age), 3),
        )


def routes(backlog: Callable[[], Backlog]) -> APIRouter:
    """Serve what `backlog` reads; it raises Unavailable while the database is away."""
    router = APIRouter(tags=["operations"])

    @router.get(
        "/outbox",
        summary="Look at the outbox",
        description=(
            f"Tells how many events wait to be published, at most {MOST_COUNTED}, and the age of "
            "the oldest of those. A change shows here up to a second after it was made."
        ),
        response_description="How much waits.",
        responses=documented(UNAVAILABLE),
    )
    def outbox() -> BacklogView:
        return BacklogView.of(backlog(), datetime.now(UTC))

    return router
