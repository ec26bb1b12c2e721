"""What the console is asked to do with dead letters, as a body says it."""

from typing import Literal, Self

from pydantic import Field, model_validator

from console.dead_letters.previews import Previewed, Text
from contracts.envelope import ReadModel
from operations.dlq.choice import Choice

MOST_MOVED = 1_000
"""Dead letters in one preview, and so in one redrive or drop: less than half a minute's work."""


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
