"""What each node of the map is doing, with a sentence that says so. Pure.

The words and the bounds are those of `streamed status`. A live map says earlier than those that
something is stuck: after ten seconds with nothing moving.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from console.live.measures import Reading
from infra.graph import Edge, EdgeKind, Graph, Node
from operations.output import age, as_document
from operations.sources.depths import Depth
from operations.status.verdicts import LineVerdict, dead_letters, on_outbox, on_queue
from runtime.outbox.stats import OutboxStats

State = Literal["ok", "busy", "stuck", "away", "unknown"]

STUCK_AFTER = 10.0
"""Seconds in which nothing was taken from what waits."""


@dataclass(frozen=True, slots=True)
class NodeState:
    state: State
    sentence: str
    waiting: int | None = None
    in_flight: int | None = None
    oldest: timedelta | None = None

    def document(self) -> dict[str, Any]:
        oldest = None if self.oldest is None else round(self.oldest.total_seconds(), 1)
        counts = as_document(self, "state", "waiting", "in_flight")
        return {**counts, "oldestSeconds": oldest, "sentence": self.sentence}


def states_of(graph: Graph, reading: Reading, rates: Mapping[str, float]) -> dict[str, NodeState]:
    """Judge every node; `rates` are events a second by edge."""
    judge = _Judge(graph, reading, rates)
    return {node.id: judge.state(node) for node in graph.nodes}


class _Judge:
    def __init__(self, graph: Graph, reading: Reading, rates: Mapping[str, float]) -> None:
        self._graph, self._reading, self._rates = graph, reading, rates

    def state(self, node: Node) -> NodeState:
        match node.kind:
            case "api":
                return self._api(node)
            case "outbox":
                return self._outbox(node)
            case "queue" | "dead-letter queue":
                return self._holding(node)
            case _:
                return self._passing(node)

    def _outbox(self, node: Node) -> NodeState:
        found = self._reading.outboxes.get(node.domain, "it has yet to be looked at")
        if not isinstance(found, OutboxStats):
            return NodeState("unknown", found)
        relay = self._neighbour(node, "stream")
        oldest = found.age(self._reading.read_at)
        verdict = on_outbox(found.depth, oldest, relay)
        waited = oldest.total_seconds() if oldest else 0.0
        moves = any(self._rates.get(each.id) for each in self._from(node, "stream"))
        if found.depth and not verdict.needs_attention and waited > STUCK_AFTER and not moves:
            verdict = _none_was_taken(found.depth, waited, relay)
        more = " (or more: it counts no further)" if found.at_least else ""
        state = _state(verdict, found.depth)
        return NodeState(state, verdict.text + more, found.depth, oldest=oldest)

    def _holding(self, node: Node) -> NodeState:
        depth = self._reading.depths.get(node.name)
        if depth is None:
            return NodeState("unknown", self._reading.trouble or "it has yet to be looked at")
        if node.kind == "dead-letter queue":
            return _dead_letters(depth)
        still = self._reading.still.get(node.name, 0.0)
        taker = self._neighbour(node, "receives")
        oldest = timedelta(seconds=still) if still else None
        if still > STUCK_AFTER:
            verdict = _none_was_taken(depth.visible, still, taker)
        else:
            verdict = on_queue(depth, None, taker, stuck=False)
        state = _state(verdict, depth.total)
        return NodeState(state, verdict.text, depth.visible, depth.in_flight, oldest)

    def _passing(self, node: Node) -> NodeState:
        for edge in self._graph.edges:
            if edge.target == node.id and edge.kind in {"stream", "receives"}:
                origin = self._graph.node(edge.origin)
                before = self.state(origin)
                if before.state == "stuck":
                    return NodeState("stuck", f"{origin.name}: {before.sentence}")
        rate = self._rate(node)
        if rate:
            return NodeState("busy", f"{rate:g} events a second")
        # A process may have stopped: what can be seen is that nothing waits for it.
        return NodeState("ok", "nothing passes" if node.kind in _PASSIVE else "nothing waits")

    def _api(self, node: Node) -> NodeState:
        if node.name not in self._reading.apis:
            return NodeState("unknown", "it has yet to be asked")
        why_not = self._reading.apis[node.name]
        return NodeState("ok", "ready") if why_not is None else NodeState("away", why_not)

    def _rate(self, node: Node) -> float:
        """What comes in, or for the first of a way what goes out."""
        into = [e.id for e in self._graph.edges if e.target == node.id and e.kind in _MOVES]
        out = [e.id for e in self._graph.edges if e.origin == node.id and e.kind in _MOVES]
        return round(sum(self._rates.get(each, 0.0) for each in into or out), 1)

    def _neighbour(self, node: Node, kind: EdgeKind) -> str:
        (edge,) = self._from(node, kind)
        return self._graph.node(edge.target).name

    def _from(self, node: Node, kind: EdgeKind) -> list[Edge]:
        return [e for e in self._graph.edges if e.origin == node.id and e.kind == kind]


_PASSIVE = {"bus", "rule", "log group"}
_MOVES = {"stream", "receives", "publishes", "matches", "delivers"}


def _dead_letters(depth: Depth) -> NodeState:
    """Messages in flight, such as during a preview, need attention all the same."""
    if not depth.total:
        return NodeState("ok", "empty", 0, 0)
    return NodeState("stuck", dead_letters(depth, None), depth.total, depth.in_flight)


def _state(verdict: LineVerdict, held: int) -> State:
    if verdict.needs_attention:
        return "stuck"
    return "busy" if held else "ok"


def _none_was_taken(count: int, seconds: float, taker: str) -> LineVerdict:
    wait = "1 waits" if count == 1 else f"{count} wait"
    since = age(timedelta(seconds=seconds))
    return LineVerdict(f"{wait}, and none was taken for {since}: is {taker} running?", True)


def needing_attention(states: Mapping[str, NodeState]) -> list[dict[str, str]]:
    """List what is stuck or away, where it is; not who is stuck because of it."""
    return [
        {"node": node, "sentence": each.sentence}
        for node, each in states.items()
        if each.state == "away" or (each.state == "stuck" and each.waiting is not None)
    ]
