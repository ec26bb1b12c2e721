"""/api/dead-letters: what could not be delivered, handled or published, and what to do about it.

The routes are plain functions: FastAPI runs them in its thread pool.
"""

from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field, model_validator

from console.dead_letters.actions import MOST_MOVED, DeadLetterActions
from contracts.envelope import ReadModel
from operations.dlq.choice import Choice

_Text = Annotated[str, Field(min_length=1, max_length=256)]


class DeadLetterSelection(ReadModel):
    """Which dead letters of a queue: these, all of a type, all of an aggregate, or simply all."""

    model_config = ConfigDict(extra="forbid")

    queue: _Text
    message_ids: list[_Text] | None = Field(default=None, min_length=1, max_length=MOST_MOVED)
    event_type: _Text | None = None
    aggregate_id: _Text | None = None

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


class DeadLetterPreview(ReadModel):
    model_config = ConfigDict(extra="forbid")

    preview: _Text


class ConfirmedDrop(DeadLetterPreview):
    confirm: Literal["drop"]


def router(dead_letters: DeadLetterActions) -> APIRouter:
    routes = APIRouter(prefix="/api/dead-letters")

    @routes.get("")
    def list_dead_letters() -> dict[str, Any]:
        return dead_letters.list()

    @routes.get("/trail")
    def trail(limit: Annotated[int, Query(ge=1, le=500)] = 50) -> dict[str, Any]:
        return dead_letters.trail(limit)

    @routes.get("/{queue}/{message_id}")
    def show(queue: str, message_id: str) -> dict[str, Any]:
        return dead_letters.show(queue, message_id)

    @routes.post("/preview")
    def preview(wish: DeadLetterSelection) -> dict[str, Any]:
        return dead_letters.preview(wish.queue, wish.choice)

    @routes.post("/redrive")
    def redrive(previewed: DeadLetterPreview) -> dict[str, Any]:
        return dead_letters.redrive(previewed.preview)

    @routes.post("/drop")
    def drop(confirmed: ConfirmedDrop) -> dict[str, Any]:
        return dead_letters.drop(confirmed.preview)

    return routes
