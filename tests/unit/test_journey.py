"""How the demo follows a request to its consequences."""

import itertools

import pytest

from local.journey import Flow, JourneyHop, NotYetThere, Stuck, follow


def arrives(title: str, *, after: int = 0) -> JourneyHop:
    """A hop that is there at the n-th look."""
    looks = itertools.count()

    def observe() -> str:
        if next(looks) < after:
            raise NotYetThere("still on its way")
        return f"{title} happened"

    return JourneyHop(title, observe, look_at="nowhere")


def never(title: str) -> JourneyHop:
    return arrives(title, after=1_000_000)


def test_hops_are_reported_as_they_arrive() -> None:
    """The request comes first, then whatever happens, in the order in which it happens."""
    flow = Flow("", arrives("request"), [arrives("slow", after=4), arrives("fast")])
    arrivals = list(follow(flow))
    assert [arrival.hop.title for arrival in arrivals] == ["request", "fast", "slow"]
    assert arrivals[-1].what == "slow happened"
    times = [arrival.milliseconds for arrival in arrivals]
    assert times == sorted(times)


def test_the_first_missing_hop_is_where_it_is_stuck() -> None:
    """What arrived is reported; of the missing hops the earliest is named, with what was seen."""
    missing = never("relayed")
    flow = Flow("", arrives("request"), [missing, arrives("stored"), never("delivered")])
    arrived: list[str] = []
    with pytest.raises(Stuck) as stuck:
        arrived.extend(arrival.hop.title for arrival in follow(flow, within=1))
    assert arrived == ["request", "stored"]
    assert str(stuck.value) == (
        "stuck at “relayed”: not within 1 s (still on its way); look at nowhere"
    )


def test_a_journey_is_followed_as_long_as_a_hop_gets_further() -> None:
    """What is seen for the first time pushes the end away, for every hop; to and fro does not."""
    steps = itertools.count()

    def observe() -> str:
        if (step := next(steps)) < 30:
            raise NotYetThere(f"step {step}")
        return "done"

    flow = Flow("", arrives("request"), [JourneyHop("slow", observe, "nowhere")])
    assert [each.hop.title for each in follow(flow, within=1)] == ["request", "slow"]


def test_a_request_that_fails_is_where_it_is_stuck() -> None:
    """Nothing is awaited from a request that was never answered."""
    flow = Flow("", never("request"), [arrives("consequence")])
    with pytest.raises(Stuck, match="stuck at “request”"):
        list(follow(flow, within=0.1))
