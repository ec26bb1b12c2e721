"""Lambda around the relay's two functions: it reads the stream, calls, tries again, and sweeps."""

import json
from contextlib import suppress
from typing import Any

from contracts.outbox import DYNAMODB_JSON, OutboxRecord
from infra.workloads import Workload
from relay.batch import StreamBatchHandler
from runtime.errors import Unavailable
from runtime.outbox.dynamodb_rows import to_item
from runtime.outbox.rows import Unpublishable
from tests.event_source_mapping import EventSourceMapping
from tests.simulation.places import Database, Places
from tests.simulation.relaying import HAS_TIME_FOR, SWEEP_EVERY, Relays
from tests.simulation.scheduling import Bell, Scheduler
from tests.simulation.simulated_processes import Process
from tests.stream_events import a_stream_record


class Crashed(Exception):
    """The execution environment is gone, with the invocation that it was at."""


class Lambda:
    """One outbox's mapping and schedule. It never dies; the environments that it calls do."""

    def __init__(
        self,
        scheduler: Scheduler,
        places: Places,
        relays: Relays,
        workload: Workload,
        database: Database,
    ) -> None:
        self._scheduler, self._places, self._relays = scheduler, places, relays
        self._workload, self._database = workload, database
        self._handler: StreamBatchHandler | None = None
        self._is_sweeping = False

    def body(self, process: Process) -> None:
        """What an execution environment does when it starts."""
        self._handler = self._relays.function(process, self._workload, self._database)

    def map(self, environment: Process) -> None:
        """Follow the stream for ever, from its beginning, and hand on what it delivers."""
        place = 0
        mapping = EventSourceMapping(lambda event: self._invoke(environment, event))
        while True:
            self._database.feed.wait_beyond(place)
            rows = self._database.feed.rows[place:]
            place += len(rows)
            mapping.read([self._record(_item(row.content)) for row in rows])
            for dropped in mapping.dropped:
                queue = self._workload.settings["DEAD_LETTER_QUEUE"]
                self._places.sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(dropped))
            mapping.dropped.clear()

    def sweep(self, environment: Process) -> None:
        """Sweep on schedule, one at a time, each in an environment that knows nothing."""
        self._scheduler.after(SWEEP_EVERY, lambda: self.sweep(environment))
        if self._database.outbox.rows and not self._is_sweeping:
            self._is_sweeping = True
            environment.end()
            environment.start()
            environment.spawn(lambda: self._sweep(environment), ended=self._swept)

    def _sweep(self, environment: Process) -> None:
        # An invocation that fails is an alarm's business; the next one comes soon.
        with suppress(Unavailable):
            self._relays.sweep_once(environment, self._workload, self._database)

    def _swept(self) -> None:
        self._is_sweeping = False

    def _invoke(self, environment: Process, event: dict[str, Any]) -> Any:
        environment.start()
        answers: list[Any] = []
        bell = Bell(self._scheduler)
        ends = self._scheduler.now + HAS_TIME_FOR

        def invocation() -> None:
            assert self._handler is not None
            answers.append(self._handler.handle(event, lambda: ends - self._scheduler.now))

        environment.spawn(invocation, ended=bell.ring)
        bell.wait()
        if not answers:
            raise Crashed
        return answers[0]

    def _record(self, item: dict[str, Any]) -> dict[str, Any]:
        keys = {name: item[name] for name in ("aggregateId", "sequence")}
        table = self._database.outbox_name
        return a_stream_record("INSERT", table=table, Keys=keys, NewImage=item)


def _item(content: OutboxRecord | Unpublishable) -> dict[str, Any]:
    """A row as its table holds it; a broken one is what its text says."""
    if isinstance(content, OutboxRecord):
        return to_item(content.to_document())
    written: dict[str, Any] = json.loads(content.body)
    return written if content.encoding == DYNAMODB_JSON else to_item(written)
