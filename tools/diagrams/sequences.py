"""One event's way, from its commit to all who handle it, as a sequence diagram."""

from collections.abc import Iterator

from contracts.names import EventType
from infra.graph import Graph, graph_of
from infra.resources import Rule, ToBus, ToQueue
from tools.flows import Flows, domain_of, is_log_rule


def sequence(event_type: EventType) -> str:
    return "\n".join(["sequenceDiagram", *(f"  {line}" for line in _Way(event_type).lines())])


class _Way:
    def __init__(self, event_type: EventType) -> None:
        self._event, self._flows = event_type, Flows()
        self._graph: Graph = graph_of()
        self._domain = domain_of(event_type)
        self._bus = self._flows.bus_of(self._domain)
        self._names: dict[str, str] = {}

    def lines(self) -> Iterator[str]:
        steps = [*self._published(), *self._delivered()]
        for name, short in self._names.items():
            yield f"participant {short} as {name}"
        yield from steps

    def _published(self) -> Iterator[str]:
        mine = {each.id: each for each in self._graph.nodes if each.domain == self._domain}
        (outbox,) = (each for each in mine.values() if each.kind == "outbox")
        service = self._short(f"{self._domain}: API or consumer")
        held = self._short(outbox.name)
        yield f"{service}->>{held}: state and {self._event}, in one transaction"
        for each in self._graph.edges:
            if each.origin not in mine or each.target not in mine:
                continue
            origin, target = mine[each.origin].name, mine[each.target].name
            match each.kind:
                case "stream":
                    yield f"{held}->>{self._short(target)}: its stream"
                case "sends":
                    yield f"{self._short(origin)}->>{self._short(target)}: the record"
                    yield f"{self._short(origin)}->>{held}: delete the row"
                case "receives" if mine[each.target].kind == "relay":
                    yield f"{self._short(origin)}->>{self._short(target)}: in order"
                case "publishes":
                    yield f"{self._short(origin)}->>{self._short(target)}: PutEvents"
                    if not self._hops_over_a_queue(each.origin):
                        yield f"{self._short(origin)}->>{held}: delete the row"
                case _:
                    pass

    def _hops_over_a_queue(self, relay: str) -> bool:
        return any(each.kind == "receives" and each.target == relay for each in self._graph.edges)

    def _delivered(self) -> Iterator[str]:
        yield from self._from(self._bus)
        for hop in self._flows.hops(self._event):
            assert isinstance(hop.target, ToBus)  # noqa: S101 (what a hop is)
            yield f"{self._short(hop.bus)}->>{self._short(hop.target.bus)}: {hop.name}"
            yield from self._from(hop.target.bus)

    def _from(self, bus: str) -> Iterator[str]:
        for rule in self._flows.deliveries(self._event):
            if rule.bus == bus and isinstance(rule.target, ToQueue):
                queue = self._short(rule.target.queue)
                yield f"{self._short(bus)}->>{queue}: {rule.name}"
                yield f"{queue}->>{self._short(self._receiver(rule.target.queue))}: at least once"
        for rule in self._flows.deliveries(self._event):
            if rule.bus == bus and is_log_rule(rule):
                yield f"Note over {self._short(bus)}: {_logged(rule)}"

    def _receiver(self, queue: str) -> str:
        (name,) = (
            self._graph.node(each.target).name
            for each in self._graph.edges
            if each.kind == "receives" and self._graph.node(each.origin).name == queue
        )
        return name

    def _short(self, name: str) -> str:
        return self._names.setdefault(name, f"p{len(self._names)}")


def _logged(rule: Rule) -> str:
    return f"{rule.name}: into the bus's log group"
