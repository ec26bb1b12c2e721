"""One event's way, from its commit to all who handle it, as a sequence diagram."""

from collections.abc import Iterator, Sequence

from contracts.names import EventType
from infra.graph import graph_of
from infra.resources import Rule, ToBus, ToLogGroup, ToQueue
from infra.topology import TOPOLOGY, WORKLOADS
from infra.workloads import Consumes
from tools.flows import BUS_OF, LIFECYCLE_OF, through

Arrow = tuple[str, str, str]
"""From, to, and what: a note where the two are one."""


def sequence(event_type: EventType) -> str:
    steps = [*_published(event_type), *_delivered(event_type)]
    names = dict.fromkeys(end for step in steps for end in step[:2])
    short = {name: f"p{number}" for number, name in enumerate(names)}
    lines = [f"participant {short[name]} as {name}" for name in names]
    for origin, target, what in steps:
        arrow = f"{short[origin]}->>{short[target]}"
        lines.append(f"{f'Note over {short[origin]}' if origin == target else arrow}: {what}")
    return "\n".join(["sequenceDiagram", *(f"  {line}" for line in lines)])


def _published(event_type: EventType) -> Iterator[Arrow]:
    domain, graph = LIFECYCLE_OF[event_type].domain, graph_of()
    mine = {each.id: each for each in graph.nodes if each.domain == domain}
    (outbox,) = (each.name for each in mine.values() if each.kind == "outbox")
    over_a_queue = {each.target for each in graph.edges if each.kind == "receives"}
    yield f"{domain}: API or consumer", outbox, f"state and {event_type}, in one transaction"
    for each in graph.edges:
        if each.origin not in mine or each.target not in mine:
            continue
        origin, target = mine[each.origin].name, mine[each.target].name
        match each.kind:
            case "stream":
                yield outbox, target, "its stream"
            case "sends":
                yield origin, target, "the record"
                yield origin, outbox, "delete the row"
            case "receives" if mine[each.target].kind == "relay":
                yield origin, target, "in order"
            case "publishes":
                yield origin, target, "PutEvents"
                if each.origin not in over_a_queue:
                    yield origin, outbox, "delete the row"
            case _:
                pass


def _delivered(event_type: EventType) -> Iterator[Arrow]:
    rules = [rule for rule in TOPOLOGY.rules if event_type in through(rule)]
    yield from _from(BUS_OF[LIFECYCLE_OF[event_type].domain], rules)
    for hop in rules:
        if isinstance(hop.target, ToBus):
            yield hop.bus, hop.target.bus, hop.name
            yield from _from(hop.target.bus, rules)


def _from(bus: str, rules: Sequence[Rule]) -> Iterator[Arrow]:
    here = [rule for rule in rules if rule.bus == bus]
    for rule in here:
        if isinstance(rule.target, ToQueue):
            queue = rule.target.queue
            (receiver,) = (each.name for each in WORKLOADS if Consumes(queue) in each.uses)
            yield bus, queue, rule.name
            yield queue, receiver, "at least once"
    for rule in here:
        if isinstance(rule.target, ToLogGroup):
            yield bus, bus, f"{rule.name}: into the bus's log group"
