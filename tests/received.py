"""What a relay sent to its FIFO queue."""

import json
from typing import Any

from contracts.outbox import OutboxRecord
from tests.relay_world import FIFO, World, ids
from verification.testkit.waiting import eventually


class Received:
    """What has come out of the FIFO queue so far, in order."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.bodies: list[dict[str, Any]] = []

    def carry(self, events: list[OutboxRecord]) -> None:
        """Insert events in the outbox collection, and wait until they came."""
        self._world.insert(events)
        self.until(events)

    def until(self, wanted: list[OutboxRecord], *, timeout: float = 20) -> None:
        """Wait until all of them came; assert that none came twice and each group is in order."""

        def all_there() -> bool:
            messages = self._world.drained(FIFO)
            self.bodies += [json.loads(message["Body"]) for message in messages]
            return ids(wanted) <= {body["eventId"] for body in self.bodies}

        eventually(all_there, timeout=timeout, what="all in the queue")
        found = [body["eventId"] for body in self.bodies]
        assert len(found) == len(set(found))
        for aggregate in {body["aggregateId"] for body in self.bodies}:
            sequences = [
                body["sequence"] for body in self.bodies if body["aggregateId"] == aggregate
            ]
            assert sequences == sorted(sequences)
