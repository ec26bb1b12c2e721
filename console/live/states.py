"""What each node of the map is doing, with a sentence that says so. Pure.

The words and the bounds are those of `streamed status`. A live map says earlier than those that
something is stuck: after ten seconds with nothing moving.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from console.live.reading import Reading
from infra.graph import EdgeKind, Graph, Node
from operations.output import age
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
        return {
            "state": self.state,
            "waiting": self.waiting,
            "inFlight": self.in_flight,
            "oldestSeconds": None if self.oldest is None else round(self.oldest.total_seconds(), 1),
            "sentence": self.sentence,
        }


def states_of(graph: Graph, reading: Reading, rates: Mapping[str, float]) -> dict[str, NodeState]:
    """Judge every node; `rates` are events a second by edge."""
    return _Judge(graph, reading, rates).judge()


class _Judge:
    def __init__(self, graph: Graph, reading: Reading, rates: Mapping[str, float]) -> None:
        self._graph, self._reading, self._rates = graph, reading, rates

    def judge(self) -> dict[str, NodeState]:
        held = {n.id: self._holding(n) for n in self._graph.nodes if n.kind in _HOLDING}
        others = {
            node.id: self._passing(node, held)
            for node in self._graph.nodes
            if node.kind not in _HOLDING
        }
        return {node.id: (held | others)[node.id] for node in self._graph.nodes}

    def _holding(self, node: Node) -> NodeState:
        if node.kind == "outbox":
            return self._outbox(node)
        depth = self._reading.depths.get(node.name)
        if depth is None:
            return NodeState("unknown", self._reading.trouble or "it has yet to be looked at")
        return self._queue(node, depth) if node.kind == "queue" else _dead_letters(depth)

    def _outbox(self, node: Node) -> NodeState:
        found = self._reading.outboxes.get(node.domain, "it has yet to be looked at")
        if not isinstance(found, OutboxStats):
            return NodeState("unknown", found)
        relay = self._neighbour(node, "stream")
        oldest = found.age(self._reading.read_at)
        verdict = on_outbox(found.depth, oldest, relay)
        waited = oldest.total_seconds() if oldest else 0.0
        moves = any(self._rates.get(each) for each in self._edges(node, "stream"))
        if found.depth and not verdict.needs_attention and waited > STUCK_AFTER and not moves:
            verdict = LineVerdict(
                f"{_wait(found.depth)}, and none was taken for {_age(waited)}: is {relay} running?",
                True,
            )
        more = " (or more: it counts no further)" if found.at_least else ""
        return NodeState(
            _state(verdict, found.depth),
            verdict.text + more,
            waiting=found.depth,
            oldest=oldest,
        )

    def _queue(self, node: Node, depth: Depth) -> NodeState:
        still = self._reading.still.get(node.name, 0.0)
        taker = self._neighbour(node, "receives")
        oldest = timedelta(seconds=still) if still else None
        if still > STUCK_AFTER:
            verdict = LineVerdict(
                f"{_wait(depth.visible)}, and none was taken for {_age(still)}: is {taker}"
                " running?",
                True,
            )
        else:
            verdict = on_queue(depth, None, taker, stuck=False)
        return NodeState(
            _state(verdict, depth.total), verdict.text, depth.visible, depth.in_flight, oldest
        )

    def _passing(self, node: Node, held: Mapping[str, NodeState]) -> NodeState:
        if node.kind == "api":
            return self._api(node)
        for edge in self._graph.edges:
            before = held.get(edge.origin)
            if edge.target == node.id and edge.kind in {"stream", "receives"} and before:
                name = self._graph.node(edge.origin).name
                if before.state == "stuck":
                    return NodeState("stuck", f"{name}: {before.sentence}")
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
        (edge,) = (e for e in self._graph.edges if e.origin == node.id and e.kind == kind)
        return self._graph.node(edge.target).name

    def _edges(self, node: Node, kind: EdgeKind) -> Iterator[str]:
        return (e.id for e in self._graph.edges if e.origin == node.id and e.kind == kind)


_HOLDING = {"outbox", "queue", "dead-letter queue"}
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


def _wait(count: int) -> str:
    return "1 waits" if count == 1 else f"{count} wait"


def _age(seconds: float) -> str:
    return age(timedelta(seconds=seconds))


def needing_attention(states: Mapping[str, NodeState]) -> list[dict[str, str]]:
    """List what is stuck or away, where it is; not who is stuck because of it."""
    return [
        {"node": node, "sentence": each.sentence}
        for node, each in states.items()
        if each.state == "away" or (each.state == "stuck" and each.waiting is not None)
    ]
