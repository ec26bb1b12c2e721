"""Operations: what every process, rule and queue sends to a channel, or receives from one.

Each is an edge of infra.graph, and two more kinds that only tell of dead letters: what a consumer
sets aside itself, and what Lambda gives up. `x-actor` says who does it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from contracts.names import EventType
from infra.graph import Edge, Graph, Node, graph_of
from infra.resources import Rule
from infra.topology import WORKLOADS
from infra.workloads import Empties, SendsTo
from tools.asyncapi.messages import (
    ABANDONED,
    REFUSED_MESSAGE,
    UNPUBLISHABLE,
    record_name,
    undelivered_name,
)
from tools.asyncapi.schemas import Json, ref
from tools.flows import Flows

SENDER_KINDS = ("api", "consumer", "relay")
CHANNELS = ("bus", "queue", "dead-letter queue")


@dataclass(frozen=True)
class Does:
    """`actor` sends `messages` to `channel`, or receives them from it."""

    actor: str
    actor_kind: str
    domain: str
    verb: str
    channel: str
    messages: tuple[str, ...]
    because: str

    @property
    def key(self) -> str:
        return f"{self.actor}-{self.verb}-{self.channel}".replace(" ", "-").replace(".", "-")

    def as_json(self) -> Json:
        place = ref("channels", self.channel)
        return {
            "action": "receive" if self.verb in {"receives from", "takes from"} else "send",
            "channel": place,
            "title": f"{self.actor} {self.verb} {self.channel}",
            "summary": self.because,
            "messages": [{"$ref": f"{place['$ref']}/messages/{name}"} for name in self.messages],
            "tags": [{"name": self.domain}],
            "x-actor": {"kind": self.actor_kind, "name": self.actor},
        }


@dataclass(frozen=True)
class Operations:
    flows: Flows = field(default_factory=Flows)
    graph: Graph = field(default_factory=graph_of)

    def as_json(self) -> Json:
        return {each.key: each.as_json() for each in self.all}

    def into(self, channel: str) -> list[str]:
        """Name the messages that somebody sends to a channel."""
        sent = [each for each in self.all if each.channel == channel]
        return list(dict.fromkeys(name for each in sent for name in each.messages))

    @cached_property
    def all(self) -> tuple[Does, ...]:
        edges = (each for edge in self.graph.edges for each in self._of(edge))
        return (*edges, *self._given_up())

    @cached_property
    def queued(self) -> list[EventType]:
        """What waits as a record in a queue before it reaches its bus."""
        return list(
            dict.fromkeys(
                each
                for edge in self.graph.edges
                if edge.kind == "sends"
                for each in self._published_by(self._node(edge.origin).domain)
            )
        )

    def _of(self, edge: Edge) -> Iterator[Does]:
        origin, target = self._node(edge.origin), self._node(edge.target)
        match edge.kind:
            case "publishes":
                events = self._published_by(origin.domain)
                yield _does(origin, "publishes on", target, events, "What was committed.")
            case "sends":
                names = [record_name(each) for each in self._published_by(origin.domain)]
                yield _does(origin, "sends to", target, names, "What was committed, in order.")
            case "matches":
                events = self.flows.through(self._rule(target))
                yield _does(target, "takes from", origin, events, "Its pattern matches.")
            case "delivers" if target.kind in CHANNELS:
                events = self.flows.through(self._rule(origin))
                yield _does(origin, "delivers to", target, events, "It is the rule's target.")
            case "receives":
                yield from self._received(origin, target)
            case "dead-letters":
                yield self._dead_lettered(origin, target)
            case _:
                pass  # no channel at one of its ends: an outbox or a log group

    def _received(self, queue: Node, process: Node) -> Iterator[Does]:
        names = self._waiting_in(queue)
        yield _does(process, "receives from", queue, names, "It handles them, one by one.")
        (dlq,) = (
            self._node(edge.target)
            for edge in self.graph.edges
            if edge.kind == "dead-letters" and edge.origin == queue.id
        )
        refused = UNPUBLISHABLE if process.kind == "relay" else REFUSED_MESSAGE
        yield _does(process, "dead-letters into", dlq, [refused], "It can never be handled.")

    def _dead_lettered(self, origin: Node, dlq: Node) -> Does:
        match origin.kind:
            case "rule":
                names = [undelivered_name(each) for each in self.flows.through(self._rule(origin))]
                return _does(origin, "gives up to", dlq, names, "Its target would not take them.")
            case "queue":
                names = self._waiting_in(origin)
                because = "Received too often without an end; without a reason."
                return _does(origin, "redrives to", dlq, names, because)
            case _:
                because = "It can never be published."
                return _does(origin, "dead-letters into", dlq, [UNPUBLISHABLE], because)

    def _given_up(self) -> Iterator[Does]:
        """On AWS the relay of a DynamoDB outbox is a function behind a stream."""
        for workload in WORKLOADS:
            if any(isinstance(use, Empties) for use in workload.uses):
                for use in workload.uses:
                    if isinstance(use, SendsTo):
                        yield Does(
                            f"Lambda for {workload.name}",
                            "service",
                            workload.domain,
                            "gives up to",
                            use.queue,
                            (ABANDONED,),
                            "On AWS, after ten retries of a batch.",
                        )

    def _waiting_in(self, queue: Node) -> list[str]:
        if any(edge.kind == "sends" and edge.target == queue.id for edge in self.graph.edges):
            return [record_name(each) for each in self._published_by(queue.domain)]
        return [str(each) for each in self.flows.in_queue(queue.name)]

    def _published_by(self, domain: str) -> list[EventType]:
        bus = self.flows.bus_of(domain)
        return [each for each in self.flows.on_bus(bus) if self.flows.home(each) == bus]

    def _node(self, node_id: str) -> Node:
        return self._nodes[node_id]

    @cached_property
    def _nodes(self) -> Mapping[str, Node]:
        return {node.id: node for node in self.graph.nodes}

    def _rule(self, node: Node) -> Rule:
        (rule,) = (each for each in self.flows.topology.rules if each.name == node.name)
        return rule


def _does(actor: Node, verb: str, channel: Node, messages: Iterable[str], because: str) -> Does:
    kind = "process" if actor.kind in SENDER_KINDS else actor.kind
    names = tuple(str(each) for each in messages)
    return Does(actor.name, kind, actor.domain, verb, channel.name, names, because)
