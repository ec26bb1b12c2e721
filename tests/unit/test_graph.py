"""The graph that the map and the diagrams are drawn from."""

from infra.graph import graph_of
from infra.topology import TOPOLOGY, WORKLOADS

GRAPH = graph_of()


def test_every_process_bus_rule_queue_and_log_group_is_in_it_once() -> None:
    """Nothing that the topology names is left out of the picture."""
    names = sorted(node.name for node in GRAPH.nodes if node.kind != "outbox")
    known = [
        *(each.name for each in WORKLOADS),
        *(each.name for each in TOPOLOGY.buses),
        *(each.name for each in TOPOLOGY.rules),
        *(each.name for each in TOPOLOGY.queues),
        *(each.name for each in TOPOLOGY.log_groups),
    ]
    assert names == sorted(known)


def test_three_outboxes_each_have_writers_and_one_relay() -> None:
    """An outbox has its API and its consumer before it, and one relay behind it."""
    outboxes = [node for node in GRAPH.nodes if node.kind == "outbox"]
    assert [node.name for node in outboxes] == [
        "subscriptions-outbox",
        "stock-outbox",
        "payments.outbox",
    ]
    for outbox in outboxes:
        into = [edge for edge in GRAPH.edges if edge.target == outbox.id]
        out = [edge for edge in GRAPH.edges if edge.origin == outbox.id]
        assert [edge.kind for edge in into] == ["commits", "commits"]
        assert [edge.kind for edge in out] == ["stream"]


def test_ids_are_unique_and_every_edge_joins_two_nodes() -> None:
    """A page that looks a node or an edge up by its id finds one."""
    ids = {node.id for node in GRAPH.nodes}
    assert len(ids) == len(GRAPH.nodes)
    assert len({edge.id for edge in GRAPH.edges}) == len(GRAPH.edges)
    assert all({edge.origin, edge.target} <= ids for edge in GRAPH.edges)


def test_every_node_is_reached() -> None:
    """No node stands alone: a resource that nothing uses would be a mistake in the topology."""
    joined = {end for edge in GRAPH.edges for end in (edge.origin, edge.target)}
    assert joined == {node.id for node in GRAPH.nodes}
