"""An operator who sends dead letters back to where they belong, and sometimes only half-way."""

from typing import Any

from infra.resources import ToBus
from infra.topology import TOPOLOGY
from tests.memory_buses import Event
from tests.memory_queues import Held, Message
from tests.simulation.places import Places
from tests.simulation.poisoning import Poisons


class Redriver:
    """Redrives all but poison. A copy is sent before the dead letter is deleted: never lost."""

    def __init__(self, places: Places, poisons: Poisons) -> None:
        self._places, self._poisons = places, poisons

    def redrive(self, *, is_cut_short: bool = False) -> None:
        """Empty every dead-letter queue; cut short, the last message of each is sent and stays."""
        for name, held in self._places.sqs.queues.items():
            if held.resource.redrive is not None:
                continue
            good = [each for each in held.messages if not self._poisons.holds(each.body)]
            for message in good:
                is_last = is_cut_short and message is good[-1]
                if self._send_back(name, message) and not is_last:
                    held.messages.remove(message)

    def _send_back(self, dlq: str, message: Message) -> bool:
        """Whether it belongs somewhere; a note of Lambda's about a batch does not."""
        if self._places.custom is not None and "SUBSCRIBER_ARN" in message.attributes:
            self._places.custom.read_again(message.body)
            return True
        event = self._places.ledger.event_of(message.body)
        rule = message.attributes.get("RULE_ARN")
        if event is not None and rule is not None and self._to_bus(rule["StringValue"], event):
            return True
        for held in self._places.sqs.queues.values():
            redrive = held.resource.redrive
            if redrive is not None and redrive.dlq == dlq:
                return self._to_queue(held, message)
        return False

    def _to_bus(self, rule_name: str, event: Event) -> bool:
        target = next(rule.target for rule in TOPOLOGY.rules if rule.name == rule_name)
        if isinstance(target, ToBus):
            self._places.buses.accept(target.bus, event)
        return isinstance(target, ToBus)

    def _to_queue(self, held: Held, message: Message) -> bool:
        places = self._places
        names: dict[str, Any] = {}
        if held.resource.fifo:
            record = places.ledger.record_of(message.body)
            if record is None:
                return False
            # With the event's id the queue, which has seen it, would take it and drop it.
            unique = f"redriven-{message.message_id}-{places.seconds()}"
            names = {
                "MessageGroupId": record.aggregate_id,
                "MessageDeduplicationId": unique,
            }
        places.sqs.send_message(QueueUrl=held.resource.name, MessageBody=message.body, **names)
        return True
