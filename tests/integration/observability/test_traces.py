"""One trace from a request to the last effect and its own events, as a collector receives it."""

import json

from tests.e2e.world import ORDER
from tests.integration.observability.story import STORY, Traced, story


def test_one_trace_spans_all_three_services(traced: Traced) -> None:
    """Requests, commits, relays, queues and effects: all there, nothing else, each at its parent.

    The context came through tables, a collection, streams, a FIFO queue and three buses.
    """
    assert story(traced.spans, traced.span_id) == STORY
    assert traced.receiver.types == {"application/x-protobuf"}


def test_a_span_starts_in_or_after_its_parent(traced: Traced) -> None:
    """What is one process's own also ends in it; what an event leads to outlives the request."""
    by_id = {span.span_id: span for span in traced.spans}
    for span in traced.spans:
        parent = by_id.get(span.parent_id)
        if parent:
            assert parent.started <= span.started, (span, parent)
        if parent and parent.service == span.service:
            assert span.ended <= parent.ended, (span, parent)


def test_a_request_has_what_the_conventions_for_http_ask_for(traced: Traced) -> None:
    """Method, route, status and server, and of the query nothing."""
    (post,) = traced.named("POST /subscriptions", "subscription-api")
    address, _, port = traced.world.addresses["subscription"].removeprefix("http://").partition(":")
    assert post.attributes == {
        "http.request.method": "POST",
        "http.route": "/subscriptions",
        "http.response.status_code": 201,
        "url.scheme": "http",
        "url.path": "/subscriptions",
        "network.protocol.version": "1.1",
        "server.address": address,
        "server.port": int(port),
    }


def test_a_commit_has_what_the_conventions_for_databases_ask_for(traced: Traced) -> None:
    """Of DynamoDB and of MongoDB."""
    dynamodb, *_ = traced.named("TransactWriteItems subscriptions", "subscription-api")
    mongodb, *_ = traced.named("commitTransaction payments", "payment-api")
    assert dynamodb.attributes == {
        "db.system.name": "aws.dynamodb",
        "db.operation.name": "TransactWriteItems",
        "db.collection.name": "subscriptions",
        "aws.dynamodb.table_names": ["subscriptions", "subscriptions-outbox"],
    }
    assert mongodb.attributes == {
        "db.system.name": "mongodb",
        "db.namespace": "payments",
        "db.operation.name": "commitTransaction",
        "db.collection.name": "payments",
    }


def test_sender_and_receiver_name_the_same_message(traced: Traced) -> None:
    """As the conventions for messaging ask: system, destination, operation and the event's id."""
    sent = traced.named("send subscriptions-event-bus", "subscriptions-relay")
    received, *_ = traced.named("process stock-subscription-created", "stock-consumer")
    event_id = received.attributes["messaging.message.id"]
    send, *_ = (span for span in sent if span.attributes["messaging.message.id"] == event_id)
    conversation = received.attributes["messaging.message.conversation_id"]
    assert send.attributes == {
        "messaging.system": "aws_eventbridge",
        "messaging.destination.name": "subscriptions-event-bus",
        "messaging.operation.type": "send",
        "messaging.operation.name": "send",
        "messaging.message.id": event_id,
        "messaging.message.conversation_id": conversation,
    }
    assert received.attributes == {
        "messaging.system": "aws_sqs",
        "messaging.destination.name": "stock-subscription-created",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.message.id": event_id,
        "messaging.message.conversation_id": conversation,
    }


def test_each_process_is_a_service_of_one_namespace(traced: Traced) -> None:
    """Under its own name, also where two run the same command."""
    for span in traced.spans:
        assert span.resource["service.namespace"] == "streamed-events"
        assert span.resource["service.instance.id"]
    assert {span.service for span in traced.spans} == set(traced.world.ours) - {"stock-api", "tap"}


def test_no_span_has_bank_details(traced: Traced) -> None:
    """Not in an attribute, not in a name, not in the resource."""
    account = {str(ORDER[name]) for name in ("accountNumber", "accountName", "accountSortCode")}
    text = json.dumps([(s.name, s.attributes, s.resource) for s in traced.receiver.spans])
    assert not [each for each in account if each in text]
