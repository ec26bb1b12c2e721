"""Those who use the system and those who run it: clients, operators, and misfortune."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from contracts.causes import Cause
from contracts.outbox import OutboxRecord
from infra.resources import ToBus
from infra.topology import TOPOLOGY
from relay.rows import Row, Unpublishable
from runtime.errors import Conflict, Unavailable
from services.payment.model import PaymentNotFound
from services.subscription.handlers import _KEYS
from tests.builders import a_detail, an_order
from tests.memory_queues import Message
from tests.simulation.ledger import FIFO
from tests.simulation.places import Database, Places
from tests.simulation.plans import (
    Act,
    Cancel,
    Kill,
    Outage,
    Poison,
    Redrive,
    Replay,
    Subscribe,
)
from tests.simulation.processes import Process
from tests.simulation.serving import Services
from tests.simulation.wired import POISON
from tests.simulation.wires import Weather

RETRY_AFTER = 1.5
"""Seconds until a client that got no answer, or an error, asks again; each time as long again."""

_POISON = uuid5(NAMESPACE_URL, "urn:streamed-events:poison")


def key_of(number: int) -> str:
    return f"key-{number}"


@cache
def subscription_id(number: int) -> str:
    """The id that the service gives the subscription of that key."""
    return str(uuid5(_KEYS, key_of(number)))


class Outside:
    """Carries out acts. `answered` are the requests that were: the system has promised them."""

    def __init__(
        self,
        weather: Weather,
        places: Places,
        services: Services,
        processes: Mapping[str, Process],
    ) -> None:
        self._weather, self._scheduler, self._places = weather, weather.scheduler, places
        self._services, self._processes = services, processes
        self.answered: list[Act] = []
        self.waiting = 0
        """Clients and outages that are not at their end."""
        self.poisons: list[tuple[str, str, str]] = []
        """Of each poison: the dead-letter queue it belongs in, its body there, and its errorType."""

    def carry_out(self, act: Act) -> None:
        self.waiting -= 1
        story = self._weather.story
        if story.is_told:
            story.tell("outside", str(act))
        match act:
            case Subscribe():
                self._request("subscription-api", "subscriptions", act, _subscribe)
            case Cancel():
                self._request("payment-api", "payments", act, _cancel)
            case Poison():
                self._poison(act)
            case Outage():
                self._outage(act)
            case Kill():
                self._processes[act.process].kill(act.seconds)
            case Replay():
                self._places.buses.replay(act.bus, "replay")
            case Redrive():
                self.redrive(is_cut_short=act.is_cut_short)

    def _request(
        self, name: str, domain: str, act: Any, ask: Callable[[Any, Any], object], tries: int = 1
    ) -> None:
        """Ask, and ask again until there is an answer or no patience."""
        process = self._processes[name]
        answers: list[bool] = []

        def serve() -> None:
            try:
                ask(self._services.handlers(process, domain), act)
                answers.append(True)
            except (Unavailable, Conflict, PaymentNotFound):
                answers.append(False)
            except Exception:
                if not process.may_fail:
                    raise
                answers.append(False)

        def ended() -> None:
            self.waiting -= 1
            if answers == [True]:
                self.answered.append(act)
                return
            if tries < act.patience:
                self.waiting += 1
                self._scheduler.after(RETRY_AFTER * tries, again)

        def again() -> None:
            self.waiting -= 1
            self._request(name, domain, act, ask, tries + 1)

        self.waiting += 1
        if process.is_up:
            process.spawn(serve, ended=ended)
        else:
            ended()

    def _outage(self, act: Outage) -> None:
        self._weather.away[act.service] = act.kind
        self.waiting += 1

        def end() -> None:
            self.waiting -= 1
            self._weather.away.pop(act.service, None)
            if self._weather.story.is_told:
                self._weather.story.tell("outside", f"{act.service} is back")

        self._scheduler.after(act.seconds, end)

    def redrive(self, *, is_cut_short: bool = False) -> None:
        """Send what is in dead-letter queues, and no poison, back to where it belongs."""
        places = self._places
        for name, held in places.sqs.queues.items():
            if held.resource.redrive is None:
                good = [each for each in held.messages if not self._is_poison(each.body)]
                for message in good:
                    if self._send_back(name, message) and not (
                        is_cut_short and message is good[-1]
                    ):
                        held.messages.remove(message)

    def _send_back(self, dlq: str, message: Message) -> bool:
        """Whether it belonged somewhere; a note of Lambda's about a batch does not."""
        places = self._places
        event = places.ledger.event_of(message.body)
        by_rule = "RULE_ARN" in message.attributes
        if event is not None and by_rule:
            name = message.attributes["RULE_ARN"]["StringValue"]
            rule = next(rule for rule in TOPOLOGY.rules if rule.name == name)
            if isinstance(rule.target, ToBus):
                places.buses.accept(rule.target.bus, event)
                return True
        for held in places.sqs.queues.values():
            redrive = held.resource.redrive
            if redrive is None or redrive.dlq != dlq:
                continue
            fifo = held.resource.fifo
            record = places.ledger.record_of(message.body) if fifo else None
            if event is None and record is None:
                return False
            names = {
                "MessageGroupId": record.aggregate_id,
                # Deduplicated, it would be lost: the queue has seen the event's id.
                "MessageDeduplicationId": f"redriven-{message.message_id}-{self._scheduler.now}",
            } if record else {}
            places.sqs.send_message(
                QueueUrl=held.resource.name, MessageBody=message.body, **names
            )
            return True
        return False

    def _is_poison(self, body: str) -> bool:
        return any(body == poison for _, poison, _ in self.poisons)

    def _poison(self, act: Poison) -> None:
        if act.place in self._places.sqs.queues:
            self._poison_queue(act)
        else:
            database = next(
                each for each in self._places.databases.values() if each.outbox_name == act.place
            )
            self._poison_outbox(act, database)

    def _poison_queue(self, act: Poison) -> None:
        held = self._places.sqs.queues[act.place]
        body, error = _body(act)
        names = {}
        if held.resource.fifo:
            # In the very group of a good payment: it must not stop that.
            names = {
                "MessageGroupId": subscription_id(act.number),
                "MessageDeduplicationId": "poison",
            }
        assert held.resource.redrive
        self.poisons.append((held.resource.redrive.dlq, body, error))
        self._places.sqs.send_message(QueueUrl=act.place, MessageBody=body, **names)

    def _poison_outbox(self, act: Poison, database: Database) -> None:
        record = _refused(self._places, database)
        key = record.aggregate_id, record.sequence
        if act.kind == "broken row":
            document = {"aggregateId": key[0], "sequence": key[1], "broken": True}
            body = json.dumps(document)
            self.poisons.append((_DLQ_OF[act.place], body, "MalformedRecord"))
            self._places.insert(
                database, Row(*key, key, Unpublishable(body, _malformed(document)))
            )
        else:
            self.poisons.append((_DLQ_OF[act.place], record.to_json(), "NeverAccepted"))
            self._places.insert(database, Row(*key, key, record))


_DLQ_OF = {
    "subscriptions-outbox": "subscriptions-dlq",
    "stock-outbox": "stock-dlq",
    "payments.outbox": "payment-events-dlq.fifo",
}


def _subscribe(handlers: Any, act: Subscribe) -> None:
    order = an_order(quantity=act.quantity)
    handlers.subscribe(order, Cause(f"request-{act.number}"), key=key_of(act.number))


def _cancel(handlers: Any, act: Cancel) -> None:
    handlers.cancel(subscription_id(act.number), Cause(f"request-{act.number}-cancel"))


def _body(act: Poison) -> tuple[str, str]:
    """A body and the errorType that a reader of its queue gives it."""
    if act.kind == "not JSON":
        return "{", "MalformedRecord" if act.place == FIFO else "NotAnEvent"
    source, detail_type = "app.subscriptions", "SubscriptionCreated"
    if "cancelled" in act.place:
        source, detail_type = "app.payments", "PaymentCancelled"
    detail = a_detail()
    if act.kind == "broken schema":
        detail["subscriptionId"] = 7
    else:
        detail_type = "SomethingElse"
    envelope = {"id": "1", "source": source, "detail-type": detail_type, "detail": detail}
    error = "UnexpectedEvent" if act.kind == "another type" else "SchemaViolation"
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
