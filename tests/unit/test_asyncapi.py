"""The AsyncAPI document: all that the code has, and nothing that it has not."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker, ValidationError

from contracts.envelope import ReceivedEvent
from contracts.names import EventType
from contracts.outbox import OutboxRecord
from infra.resources import Queue, ToBus, ToQueue
from infra.topology import TOPOLOGY, WORKLOADS
from infra.workloads import Consumes, PublishesTo
from tools.asyncapi.__main__ import FILE
from tools.event_schemas import EVENTS

DOCUMENT: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
CHANNELS, OPERATIONS = DOCUMENT["channels"], DOCUMENT["operations"]
MESSAGES = DOCUMENT["components"]["messages"]


def found(reference: str) -> Any:
    """What a reference within the document points at. Raises KeyError."""
    value: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        value = value[part.replace("~1", "/").replace("~0", "~")]
    return found(value["$ref"]) if isinstance(value, dict) and "$ref" in value else value


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def validate(schema: Any, value: Any) -> None:
    """Raise ValidationError unless the value is as a schema of the document says."""
    Draft7Validator(
        {**schema, "components": DOCUMENT["components"]}, format_checker=FormatChecker()
    ).validate(value)


def operations_of(kind: str, name: str) -> set[tuple[str, str]]:
    """Each action of an actor, and the channel that it is on."""
    return {
        (each["action"], found(each["channel"]["$ref"])["address"])
        for each in OPERATIONS.values()
        if each["x-actor"] == {"kind": kind, "name": name}
    }


def names_on(channel: str) -> set[str]:
    return set(CHANNELS[channel]["messages"])


def test_every_bus_and_queue_is_a_channel_and_nothing_else_is() -> None:
    """A channel has the name that it has on AWS."""
    names = {bus.name for bus in TOPOLOGY.buses} | {queue.name for queue in TOPOLOGY.queues}
    assert set(CHANNELS) == names
    assert {each["address"] for each in CHANNELS.values()} == names


def test_every_event_is_on_its_bus_with_its_publisher() -> None:
    """Six events, each sent to its own domain's bus by one process."""
    for event_type in EventType:
        source = MESSAGES[event_type]["examples"][0]["payload"]["source"]
        domain = source.removeprefix("app.")
        publishers = [
            operation
            for operation in OPERATIONS.values()
            if operation["x-actor"]["kind"] == "process"
            and operation["action"] == "send"
            and any(
                each["$ref"].endswith(f"/messages/{event_type}") for each in operation["messages"]
            )
        ]
        (publisher,) = publishers
        assert publisher["channel"] == {"$ref": f"#/channels/{domain}-event-bus"}


def test_every_process_sends_and_receives_what_its_workload_says() -> None:
    """Buses published on and queues received from, process by process."""
    for workload in WORKLOADS:
        operations = operations_of("process", workload.name)
        for use in workload.uses:
            match use:
                case Consumes(queue):
                    assert ("receive", queue) in operations
                case PublishesTo(bus):
                    assert ("send", bus) in operations
                case _:
                    pass


@pytest.mark.parametrize("rule", TOPOLOGY.rules, ids=lambda rule: rule.name)
def test_every_rule_takes_from_its_bus_and_sends_to_its_target_and_its_dead_letter_queue(
    rule: Any,
) -> None:
    """A rule does that and no more; a log group is no channel."""
    expected = {("receive", rule.bus)}
    match rule.target:
        case ToBus(bus):
            expected.add(("send", bus))
        case ToQueue(queue):
            expected.add(("send", queue))
        case _:
            pass
    if rule.dlq:
        expected.add(("send", rule.dlq))
    assert operations_of("rule", rule.name) == expected


def test_a_queue_and_a_bus_list_what_rules_bring_there() -> None:
    """By hand, against the table of the design."""
    assert names_on("stock-event-bus") == {
        *("StockAllocated", "StockRejected", "StockDeallocated"),
        *("SubscriptionCreated", "PaymentCancelled"),
    }
    assert names_on("subscriptions-event-bus") == {
        *("SubscriptionCreated", "SubscriptionCancelled", "SubscriptionErased"),
        *("PaymentCancelled", "StockRejected"),
    }
    assert names_on("payments-event-bus") == {
        *("PaymentCreated", "PaymentCancelled"),
        *("SubscriptionCreated", "SubscriptionCancelled", "SubscriptionErased"),
    }
    assert names_on("stock-subscription-created") == {"SubscriptionCreated"}
    assert names_on("subscriptions-payment-cancelled") == {"PaymentCancelled"}
    assert names_on("payment-events.fifo") == {"PaymentCreatedRecord", "PaymentCancelledRecord"}


@pytest.mark.parametrize("queue", TOPOLOGY.queues, ids=lambda queue: queue.name)
def test_a_queue_is_bound_as_it_is_built(queue: Queue) -> None:
    """Kind, seconds and redrive, in the words of the SQS binding."""
    bound = CHANNELS[queue.name]["bindings"]["sqs"]["queue"]
    assert bound["name"] == queue.name
    assert bound["fifoQueue"] == queue.fifo
    assert bound["visibilityTimeout"] == queue.visibility_timeout
    assert bound["messageRetentionPeriod"] == queue.retention
    if queue.redrive:
        assert bound["redrivePolicy"] == {
            "deadLetterQueue": {"name": queue.redrive.dlq},
            "maxReceiveCount": queue.redrive.max_receive_count,
        }


def test_every_dead_letter_queue_has_messages_and_a_reason_for_them() -> None:
    """Nothing ends where nobody sends: each has a sender, and headers that tell who it was."""
    for queue in TOPOLOGY.queues:
        if queue.redrive is None:
            assert names_on(queue.name), queue.name
            headers = {
                MESSAGES[each].get("headers", {}).get("$ref") for each in names_on(queue.name)
            }
            assert any(headers), queue.name


def test_every_reference_leads_somewhere() -> None:
    """Within the document, so that it can be read alone."""
    assert all(found(each) is not None for each in references(DOCUMENT))
    assert all(each.startswith("#/") for each in references(DOCUMENT))


@pytest.mark.parametrize("name", MESSAGES)
def test_every_example_is_as_its_message_says(name: str) -> None:
    """Payload and headers, against the schemas in the document itself."""
    message = MESSAGES[name]
    assert message["examples"]
    for example in message["examples"]:
        validate(message["payload"], example["payload"])
        if "headers" in message:
            validate(message["headers"], example["headers"])


@pytest.mark.parametrize("event_type", EventType)
def test_a_broken_event_is_not_as_its_message_says(event_type: EventType) -> None:
    """The draft 7 form of a schema refuses what the published one refuses."""
    message = MESSAGES[event_type]
    payload = message["examples"][0]["payload"]
    for field in payload["detail"]:
        detail = {name: value for name, value in payload["detail"].items() if name != field}
        with pytest.raises(ValidationError, match=field):
            validate(message["payload"], {**payload, "detail": detail})
    with pytest.raises(ValidationError):
        validate(message["payload"], {**payload, "source": "app.strangers"})
    wrong = {**payload["detail"], "status": "forgotten"}
    with pytest.raises(ValidationError):
        validate(message["payload"], {**payload, "detail": wrong})


@pytest.mark.parametrize("event_type", EVENTS)
def test_every_field_of_a_published_model_is_described(event_type: EventType) -> None:
    """No field is lost on the way from the model to the document."""
    properties = DOCUMENT["components"]["schemas"][f"{event_type}Detail"]["properties"]
    assert set(properties) == {
        field.serialization_alias or name for name, field in EVENTS[event_type].model_fields.items()
    } | {"event"}


def test_our_own_readers_read_the_examples() -> None:
    """What the document shows is what ReceivedEvent and OutboxRecord take."""
    for event_type in EventType:
        ReceivedEvent.parse(json.dumps(MESSAGES[event_type]["examples"][0]["payload"]))
    for name in ("PaymentCreatedRecord", "PaymentCancelledRecord"):
        OutboxRecord.from_document(MESSAGES[name]["examples"][0]["payload"])


def test_a_correlation_id_is_where_the_document_says() -> None:
    """Each location leads to a text in the example of its message."""
    for message in MESSAGES.values():
        if "correlationId" in message:
            value = message["examples"][0]["payload"]
            location = found(message["correlationId"]["$ref"])["location"]
            for part in location.removeprefix("$message.payload#/").split("/"):
                value = value[part]
            assert isinstance(value, str)
