"""GET /outbox: how many events of a service wait to be published, and for how long."""

from datetime import UTC, datetime
from typing import Self

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from contracts.envelope import WireModel
from runtime.http.problem_kinds import UNAVAILABLE
from runtime.http.problems import documented
from runtime.outbox.ports import Outbox
from runtime.outbox.stats import OutboxStats

MOST_COUNTED = 500
"""Events counted at most: asking stays cheap while an outbox is deep."""

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
    def of(cls, stats: OutboxStats, now: datetime) -> Self:
        age = stats.age(now)
        return cls(
            depth=stats.depth,
            at_least=stats.at_least,
            oldest_age_seconds=None if age is None else round(max(0.0, age.total_seconds()), 3),
        )


def routes(outbox: Outbox) -> APIRouter:
    """Serve an outbox's stats; it raises Unavailable while the database is away."""
    router = APIRouter(tags=["operations"])

    @router.get(
        "/outbox",
        name="outbox",
        summary="Look at the outbox",
        description=(
            f"How many events wait to be published, at most {MOST_COUNTED}, and the age of "
            "the oldest of those. A change shows here up to a second after it was made."
        ),
        response_description="How much waits.",
        responses=documented(UNAVAILABLE),
        # On AWS its route wants a signature of IAM's, which takes Authorization for itself.
        openapi_extra={"security": []},
    )
    def look() -> BacklogView:
        return BacklogView.of(outbox.stats(limit=MOST_COUNTED), datetime.now(UTC))

    return router
