"""What each node of the map is said to be doing."""

from datetime import timedelta
from typing import Any

import pytest

from console.live.measures import Reading, Standstills
from console.live.states import STUCK_AFTER, NodeState, needing_attention, states_of
from infra.graph import graph_of
from operations.sources.depths import Depth
from runtime.outbox.stats import OutboxStats
from tests.builders import START

GRAPH = graph_of()
QUEUE = "queue:stock-subscription-created"
OUTBOX = "outbox:subscriptions-outbox"
STREAM = "outbox:subscriptions-outbox stream relay:subscriptions-relay"


def states(rates: dict[str, float] | None = None, **found: Any) -> dict[str, NodeState]:
    return states_of(GRAPH, Reading(read_at=START, **found), rates or {})


def waiting(depth: int, seconds: float, *, at_least: bool = False) -> dict[str, OutboxStats]:
    return {"subscriptions": OutboxStats(depth, at_least, START - timedelta(seconds=seconds))}


def test_every_node_has_a_state_and_a_sentence() -> None:
    """Also before anything was measured: unknown is a state."""
    found = states()
    assert found.keys() == {node.id for node in GRAPH.nodes}
    assert all(each.sentence for each in found.values())
    assert found[QUEUE].state == "unknown"
    assert needing_attention(found) == []


def test_a_queue_that_is_worked_on_is_busy() -> None:
    """And needs nobody."""
    found = states(depths={"stock-subscription-created": Depth(3, 2)})
    assert (found[QUEUE].state, found[QUEUE].waiting, found[QUEUE].in_flight) == ("busy", 3, 2)
    assert needing_attention(found) == []


def test_a_queue_that_nobody_receives_from_is_stuck_and_so_is_its_consumer() -> None:
    """Within seconds; the list names the place, not also who is stuck because of it."""
    found = states(
        depths={"stock-subscription-created": Depth(3, 0)},
        still={"stock-subscription-created": STUCK_AFTER + 2},
    )
    assert found[QUEUE].state == "stuck"
    assert "none was taken for 12 s" in found[QUEUE].sentence
    assert "stock-consumer" in found[QUEUE].sentence
    assert found["consumer:stock-consumer"].state == "stuck"
    assert [each["node"] for each in needing_attention(found)] == [QUEUE]


def test_an_outbox_is_on_the_way_until_nothing_moves() -> None:
    """A row that waits while others pass has been overtaken; one that waits alone is stuck."""
    assert states(outboxes=waiting(2, 1))[OUTBOX].state == "busy"
    assert states(outboxes=waiting(2, 20), rates={STREAM: 4.0})[OUTBOX].state == "busy"
    stuck = states(outboxes=waiting(2, 20))
    assert stuck[OUTBOX].state == stuck["relay:subscriptions-relay"].state == "stuck"
    assert states(outboxes=waiting(2, 200), rates={STREAM: 4.0})[OUTBOX].state == "stuck"
    assert "or more" in states(outboxes=waiting(500, 1, at_least=True))[OUTBOX].sentence


def test_an_outbox_that_cannot_be_read_says_why() -> None:
    """It is not taken for an empty one."""
    found = states(outboxes={"subscriptions": "nothing listens there"})
    assert found[OUTBOX] == NodeState("unknown", "nothing listens there")


def test_whatever_is_in_a_dead_letter_queue_needs_a_person() -> None:
    """At once, however young it is; also what somebody holds who looks at it."""
    found = states(depths={"stock-dlq": Depth(1, 2)})
    dead_letters = found["dead-letter-queue:stock-dlq"]
    assert (dead_letters.state, dead_letters.waiting, dead_letters.in_flight) == ("stuck", 3, 2)
    assert dead_letters.sentence == "3 dead letters, 2 of them in flight"
    assert [each["node"] for each in needing_attention(found)] == ["dead-letter-queue:stock-dlq"]


@pytest.mark.parametrize(("why_not", "state"), [(None, "ok"), ("it does not answer", "away")])
def test_an_api_is_ready_or_away(why_not: str | None, state: str) -> None:
    """Its own /readyz says so."""
    assert states(apis={"stock-api": why_not})["api:stock-api"].state == state


def test_what_passes_is_said_in_events_a_second() -> None:
    """Of a bus what its rules match, counted once."""
    found = states(rates={STREAM: 2.5})
    assert found["relay:subscriptions-relay"].sentence == "2.5 events a second"


def test_a_queue_stands_still_from_the_first_look_at_which_nothing_moved() -> None:
    """Whatever shows a receiver sets it back: fewer, one in work, or none."""
    still = Standstills()
    assert still.look({"q": Depth(0, 0)}, 0) == {}
    assert still.look({"q": Depth(2, 0)}, 1) == {"q": 0}
    assert still.look({"q": Depth(3, 0)}, 5) == {"q": 4}
    assert still.look({"q": Depth(2, 0)}, 6) == {"q": 0}
    assert still.look({"q": Depth(2, 1)}, 7) == {"q": 0}
    assert still.look({"q": Depth(2, 0)}, 9) == {"q": 2}
    assert still.look({"q": Depth(0, 2)}, 10) == {}
