"""Taps: what an emulator gets beside the topology."""

from infra.taps import Tap, taps_of, with_taps
from infra.topology import TOPOLOGY


def test_each_bus_has_a_tap_that_the_topology_does_not_know() -> None:
    """Taps are added for an emulator only, and say where a bus's events belong."""
    stock = Tap(
        "stock-event-bus",
        "local-tap-stock-event-bus",
        "LocalTap-stock-event-bus",
        "stock-event-logs",
    )
    assert stock in taps_of(TOPOLOGY)
    assert [tap.bus for tap in taps_of(TOPOLOGY)] == [bus.name for bus in TOPOLOGY.buses]
    assert not any("tap" in each.name for each in TOPOLOGY.queues)
    assert not any("Tap" in each.name for each in TOPOLOGY.rules)
    tapped = with_taps(TOPOLOGY)
    assert {tap.queue for tap in taps_of(TOPOLOGY)} == (
        {each.name for each in tapped.queues} - {each.name for each in TOPOLOGY.queues}
    )
