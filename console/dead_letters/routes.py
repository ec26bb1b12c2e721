"""/api/dead-letters: what could not be delivered, handled or published, and what to do about it.

The routes are plain functions: FastAPI runs them in its thread pool.
"""

from typing import Any, Literal, Self

from fastapi import APIRouter
from pydantic import Field, model_validator

from console.dead_letters.actions import MOST_MOVED, DeadLetterActions
from console.dead_letters.previews import Previewed, Text
from contracts.envelope import ReadModel
from operations.dlq.choice import Choice


class DeadLetterSelection(ReadModel, extra="forbid"):
    """Which dead letters of a queue: these, all of a type, all of an aggregate, or simply all."""

    queue: Text
    message_ids: list[Text] | None = Field(default=None, min_length=1, max_length=MOST_MOVED)
    event_type: Text | None = None
    aggregate_id: Text | None = None

    @model_validator(mode="after")
    def _chooses_in_one_way(self) -> Self:
        ways = (self.message_ids, self.event_type, self.aggregate_id)
        if sum(way is not None for way in ways) > 1:
            raise ValueError("say messageIds, eventType or aggregateId, and not more than one")
        return self

    @property
    def choice(self) -> Choice:
        return Choice(
            ids=frozenset(self.message_ids or ()),
            event_type=self.event_type,
            aggregate_id=self.aggregate_id,
        )


class ConfirmedDrop(Previewed):
    confirm: Literal["drop"]


def router(dead_letters: DeadLetterActions) -> APIRouter:
    routes = APIRouter(prefix="/api/dead-letters")

    routes.get("")(dead_letters.list)
    routes.get("/trail")(dead_letters.trail)
    routes.get("/{queue}/{message_id}")(dead_letters.show)

    @routes.post("/preview")
    def preview(wish: DeadLetterSelection) -> dict[str, Any]:
        return dead_letters.preview(wish.queue, wish.choice)

    @routes.post("/redrive")
    def redrive(previewed: Previewed) -> dict[str, Any]:
        return dead_letters.redrive(previewed.preview)

    @routes.post("/drop")
    def drop(confirmed: ConfirmedDrop) -> dict[str, Any]:
        return dead_letters.drop(confirmed.preview)

    return routes
