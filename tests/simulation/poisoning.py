"""What can never succeed, and where it has to end: in one dead-letter queue, with its reason."""

import json
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from contracts.outbox import OutboxRecord
from infra.resources import ToQueue
from infra.topology import TOPOLOGY
from runtime.outbox.dynamodb_rows import row_of as item_row
from runtime.outbox.mongodb_rows import row_of as document_row
from runtime.outbox.rows import Row, Unpublishable
from tests.builders import a_detail
from tests.hostile import as_bson, as_item, bson_values, document_of, dynamodb_values, times
from tests.simulation.places import START, Database, Places
from tests.simulation.plans import FIFO, Poison
from tests.simulation.requests import subscription_id
from tests.simulation.wired import POISON

_POISON = uuid5(NAMESPACE_URL, "urn:streamed-events:poison")


class Poisons:
    """`put` are those that were: dead-letter queue, body there, errorType there."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.put: list[tuple[str, str, str]] = []

    def holds(self, body: str) -> bool:
        return any(body == poison for _, poison, _ in self.put)

    def inject(self, act: Poison) -> None:
        """Put one into a queue or an outbox."""
        if act.place in self._places.sqs.queues:
            self._into_queue(act)
        else:
            database = next(
                each for each in self._places.databases.values() if each.outbox_name == act.place
            )
            self._into_outbox(act, database)

    def _into_queue(self, act: Poison) -> None:
        held = self._places.sqs.queues[act.place]
        body, error = _body(act)
        names: dict[str, Any] = {}
        if held.resource.fifo:
            # In the very group of a good payment: it must not stop that.
            names = {
                "MessageGroupId": subscription_id(act.number),
                "MessageDeduplicationId": "poison",
            }
        assert held.resource.redrive
        self.put.append((held.resource.redrive.dlq, body, error))
        self._places.sqs.send_message(QueueUrl=act.place, MessageBody=body, **names)

    def _into_outbox(self, act: Poison, database: Database) -> None:
        record = _refused(self._places, database)
        key = record.aggregate_id, record.sequence
        error = "MalformedRecord"
        match act.kind:
            case "odd row":
                row = odd_row(database, record.aggregate_id, act.variety)
            case "broken row":
                document = {"aggregateId": key[0], "sequence": key[1], "broken": True}
                broken = Unpublishable(json.dumps(document), _malformed(document))
                row = Row(*key, key, broken)
            case _:
                row, error = Row(*key, key, record), "NeverAccepted"
        content = row.content
        body = content.body if isinstance(content, Unpublishable) else content.to_json()
        self.put.append((_DLQ_OF[act.place], body, error))
        self._places.insert(database, row)


def odd_row(database: Database, aggregate_id: str, variety: int) -> Row:
    """A row that another language's driver wrote, as the relay's own code reads it."""
    if database.service == "MongoDB":
        odd = _ODD_DOCUMENTS[variety % len(_ODD_DOCUMENTS)]
        return document_row(bytes(as_bson(aggregate_id, odd, START).raw))
    odd = _ODD_ITEMS[variety % len(_ODD_ITEMS)]
    return item_row(as_item(aggregate_id, odd, START))


_ODD_TIMES = [each for each in times(START) if each.is_malformed]
_ODD_DOCUMENTS = [each for each in (*times(START), *bson_values(START)) if each.is_malformed]
_ODD_ITEMS = [
    # A stream of Lambda's is made from the dead letter, which has no null.
    each
    for each in (*times(START), *dynamodb_values(START))
    if each.is_malformed and (not isinstance(each.value, dict) or each.value.keys() <= {"B", "SS"})
]

_DLQ_OF = {
    "subscriptions-outbox": "subscriptions-dlq",
    "stock-outbox": "stock-dlq",
    "payments.outbox": "payment-events-dlq.fifo",
}


def _body(act: Poison) -> tuple[str, str]:
    """A body and the errorType that a reader of its queue gives it."""
    if act.kind == "not JSON":
        return "{", "MalformedRecord" if act.place == FIFO else "NotAnEvent"
    odd = _ODD_TIMES[act.variety % len(_ODD_TIMES)]
    if act.place == FIFO:
        return json.dumps(document_of("odd", odd, START)), "MalformedRecord"
    (pattern,) = (rule.pattern for rule in TOPOLOGY.rules if rule.target == ToQueue(act.place))
    (source,), (detail_type,) = pattern.sources, pattern.detail_types
    detail = a_detail()
    error = "SchemaViolation"
    if act.kind == "broken schema":
        detail["subscriptionId"] = 7
    elif act.kind == "odd time":
        detail["metadata"]["occurredAt"] = odd.value
        error = "NotAnEvent"
    else:
        detail_type, error = "SomethingElse", "UnexpectedEvent"
    envelope = {"id": "1", "source": source, "detail-type": detail_type, "detail": detail}
    return json.dumps(envelope), error


def _refused(places: Places, database: Database) -> OutboxRecord:
    return OutboxRecord(
        aggregate_id=str(uuid5(_POISON, database.outbox_name)),
        sequence=1,
        event_id="poison",
        event_type="Poison",
        source=POISON,
        occurred_at=places.now(),
        detail="{}",
        correlation_id="poison",
    )


def _malformed(document: dict[str, Any]) -> Exception:
    try:
        OutboxRecord.from_document(document)
    except ValueError as error:
        return error
    raise AssertionError("it is well formed")
