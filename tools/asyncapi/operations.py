"""Operations: what every process, rule and queue sends to a channel, or receives from one.

Each is an edge of infra.graph, and two more kinds that only tell of dead letters: what a consumer
sets aside itself, and what Lambda gives up. `x-actor` says who does it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from infra.graph import EdgeKind, Node, graph_of
from infra.topology import LIFECYCLES, TOPOLOGY, WORKLOADS
from tools.asyncapi.messages import (
    ABANDONED,
    REFUSED_MESSAGE,
    UNPUBLISHABLE,
    record_name,
    undelivered_name,
)
from tools.asyncapi.schemas import ref
from tools.event_schemas import Json
from tools.flows import in_queue, through

PROCESSES = ("api", "consumer", "relay")
CHANNELS = ("bus", "queue", "dead-letter queue")

RULES_BY_NAME = {rule.name: rule for rule in TOPOLOGY.rules}
REDRIVES = {queue.name: queue.redrive.dlq for queue in TOPOLOGY.queues if queue.redrive}


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


def operations() -> Iterator[Does]:
    graph = graph_of()
    for edge in graph.edges:
        yield from _along(edge.kind, graph.node(edge.origin), graph.node(edge.target))
    for workload in WORKLOADS:
        if workload.empties:  # on AWS it is a function behind a stream
            yield Does(
                actor=f"Lambda for {workload.name}",
                actor_kind="service",
                domain=workload.domain,
                verb="gives up to",
                channel=workload.settings["DEAD_LETTER_QUEUE"],
                messages=(ABANDONED,),
                because="On AWS, after ten retries of a batch.",
            )


def _along(kind: EdgeKind, origin: Node, target: Node) -> Iterator[Does]:
    sent: Iterable[str]
    match kind, origin.kind:
        case "publishes", _:
            sent = LIFECYCLES[origin.domain].events
            yield _does(origin, "publishes on", target.name, sent, "What was committed.")
        case "sends", _:
            sent = _records(origin)
            yield _does(origin, "sends to", target.name, sent, "What was committed, in order.")
        case "matches", _:
            sent = through(RULES_BY_NAME[target.name])
            yield _does(target, "takes from", origin.name, sent, "Its pattern matches.")
        case "delivers", _ if target.kind in CHANNELS:
            sent = through(RULES_BY_NAME[origin.name])
            yield _does(origin, "delivers to", target.name, sent, "It is the rule's target.")
        case "receives", _:
            sent, because = _waiting_in(origin), "It handles them, one by one."
            yield _does(target, "receives from", origin.name, sent, because)
            refused = UNPUBLISHABLE if target.kind == "relay" else REFUSED_MESSAGE
            yield _set_aside(target, REDRIVES[origin.name], refused, "It can never be handled.")
        case "dead-letters", "rule":
            sent = map(undelivered_name, through(RULES_BY_NAME[origin.name]))
            because = "Its target would not take them."
            yield _does(origin, "gives up to", target.name, sent, because)
        case "dead-letters", "queue":
            because = "Received too often without an end; without a reason."
            yield _does(origin, "redrives to", target.name, _waiting_in(origin), because)
        case "dead-letters", _:
            yield _set_aside(origin, target.name, UNPUBLISHABLE, "It can never be published.")
        case _:
            pass  # no channel at one of its ends: an outbox or a log group


def _does(actor: Node, verb: str, channel: str, messages: Iterable[str], because: str) -> Does:
    kind = "process" if actor.kind in PROCESSES else actor.kind
    names = tuple(map(str, messages))
    return Does(actor.name, kind, actor.domain, verb, channel, names, because)


def _set_aside(process: Node, dlq: str, message: str, because: str) -> Does:
    return _does(process, "dead-letters into", dlq, [message], because)


def _waiting_in(queue: Node) -> list[str]:
    """What rules bring, or, into a queue that no rule has for its target, what a relay sends."""
    return [str(each) for each in in_queue(queue.name)] or _records(queue)


def _records(node: Node) -> list[str]:
    return [record_name(each) for each in LIFECYCLES[node.domain].events]
