"""How the demo follows a request to its consequences."""

import itertools
from typing import Any

import httpx
import pytest

from infra.domains.payments import WEBHOOK_PATH
from local.journey import Customer, Flow, JourneyHop, NotYetThere, Stuck, follow
from runtime.signatures import Signatures, new_secret

SECRET = new_secret()
APIS = {name: f"http://{name}" for name in ("subscription", "stock", "payment")}


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


def cancelling(secret: str | None, statuses: dict[str, int]) -> tuple[JourneyHop, list[str]]:
    """The demo's second request, of APIs that answer with these statuses; what they were sent."""
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(f"{request.method} {request.url.path}")
        if request.method == "POST":
            assert secret is not None
            Signatures([secret]).verify(request.content, request.headers)
        return httpx.Response(statuses[request.method], json={"status": "cancelled"})

    http = httpx.Client(transport=httpx.MockTransport(answer))
    logs: Any = None
    return Customer(http, logs, APIS, secret).cancels_the_payment().request, sent


def test_the_bank_cancels_by_its_callback() -> None:
    """It is signed with the secret of `make up`, and PATCH is not used."""
    request, sent = cancelling(SECRET, {"POST": 204})
    assert request.observe() == "204, for the bank's reason 1"
    assert sent == [f"POST {WEBHOOK_PATH}"]


@pytest.mark.parametrize("refusal", [401, 404])
def test_a_system_with_another_secret_cancels_by_patch(refusal: int) -> None:
    """As that of containers has: the demo still shows the whole journey, and says how."""
    request, sent = cancelling(SECRET, {"POST": refusal, "PATCH": 200})
    assert request.observe() == "200, cancelled by PATCH: the secret is not known"
    assert sent == [f"POST {WEBHOOK_PATH}", "PATCH /payments/"]
    request, sent = cancelling(None, {"PATCH": 200})
    request.observe()
    assert sent == ["PATCH /payments/"]


@pytest.mark.parametrize("status", [422, 500, 503])
def test_a_callback_that_fails_is_sent_again(status: int) -> None:
    """It is a hop that did not happen yet."""
    request, sent = cancelling(SECRET, {"POST": status})
    with pytest.raises(NotYetThere, match=str(status)):
        request.observe()
    assert sent == [f"POST {WEBHOOK_PATH}"]
