"""What an event proves, and the ways that the map draws."""

import pytest

from console.about_routes import map_document
from console.live.hub import Hub
from console.live.journeys import Journeys
from console.live.observed_events import ObservedEvents
from console.live.observing import Observer
from contracts.names import EventType
from infra.graph import graph_of
from tests.console import an_observed_event, event_id

GRAPH = graph_of()
EDGES = {edge.id: edge for edge in GRAPH.edges}


@pytest.fixture
def observed() -> ObservedEvents:
    return ObservedEvents()


@pytest.fixture
def observer(observed: ObservedEvents) -> Observer:
    return Observer(Journeys(GRAPH), observed, Hub())


@pytest.mark.parametrize("event_type", list(EventType))
def test_a_route_is_a_way_without_gaps(event_type: EventType) -> None:
    """Each edge goes on from where some edge before it came to; it ends at what handles it."""
    route = map_document(GRAPH)["routes"][event_type]
    reached = {EDGES[route["edges"][0]].origin}
    for name in route["edges"]:
        assert EDGES[name].origin in reached, name
        reached.add(EDGES[name].target)
    assert len(set(route["edges"])) == len(route["edges"])


def test_the_longest_route_reaches_all_who_handle_it() -> None:
    """A cancelled payment goes through the FIFO queue, over three buses, to two consumers."""
    route = map_document(GRAPH)["routes"]["PaymentCancelled"]
    assert route["domain"] == "payments"
    assert route["edges"][0] == "api:payment-api commits outbox:payments.outbox"
    reached = {EDGES[name].target for name in route["edges"]}
    assert {"consumer:stock-consumer", "consumer:subscription-consumer"} <= reached
    assert "queue:payment-events.fifo" in reached
    assert "consumer:payment-consumer" not in reached


def test_a_published_event_has_passed_its_outbox(observer: Observer) -> None:
    """What a request led to was committed by the API; the bus's rules have it now."""
    edges, handled = observer.proven(an_observed_event())
    assert edges[:3] == [
        "api:subscription-api commits outbox:subscriptions-outbox",
        "outbox:subscriptions-outbox stream relay:subscriptions-relay",
        "relay:subscriptions-relay publishes bus:subscriptions-event-bus",
    ]
    assert "rule:SubscriptionToStockRule delivers bus:stock-event-bus" in edges
    assert "rule:CancelSubscriptionRule delivers queue:subscriptions-payment-cancelled" not in edges
    assert handled == []


def test_an_event_that_came_on_proves_only_what_is_on_this_bus(observer: Observer) -> None:
    """Its publication was proven where it was published."""
    edges, handled = observer.proven(an_observed_event(bus="stock-event-bus"))
    assert all("stock-event-bus" in edge or "Rule" in edge for edge in edges)
    assert "rule:SubscriptionCreatedRule delivers queue:stock-subscription-created" in edges
    assert not any("outbox" in edge for edge in edges)
    assert handled == []


def test_an_effect_proves_that_its_cause_was_handled(
    observer: Observer, observed: ObservedEvents
) -> None:
    """The cause's type tells from which of a consumer's queues it came."""
    cause = event_id("PaymentCancelled")
    effect = an_observed_event("StockDeallocated", bus="stock-event-bus", sequence=2, cause=cause)
    _, unknown = observer.proven(effect)
    assert unknown == ["consumer:stock-consumer commits outbox:stock-outbox"]

    observed.add(an_observed_event("PaymentCancelled", bus="payments-event-bus", sequence=2))
    _, handled = observer.proven(effect)
    assert handled == [
        "queue:stock-payment-cancelled receives consumer:stock-consumer",
        "consumer:stock-consumer commits outbox:stock-outbox",
    ]


def test_with_several_queues_and_no_known_cause_the_commit_alone_is_known(
    observer: Observer,
) -> None:
    """It may have come through any of them."""
    effect = an_observed_event("PaymentCreated", bus="payments-event-bus", cause="forgotten")
    edges, handled = observer.proven(effect)
    assert handled == ["consumer:payment-consumer commits outbox:payments.outbox"]
    assert "relay:payments-change-stream sends queue:payment-events.fifo" in edges


def test_a_replayed_event_did_not_pass_an_outbox(observer: Observer) -> None:
    """EventBridge brought it from its archive."""
    edges, handled = observer.proven(an_observed_event(replay="mend-1"))
    assert edges
    assert not any("outbox" in edge for edge in [*edges, *handled])
