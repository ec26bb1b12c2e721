"""The system with a collector beside it, and one lifecycle that both have seen the whole of."""

from collections.abc import Iterator
from secrets import token_hex

import pytest

from tests.e2e.conftest import local
from tests.e2e.world import ORDER, World
from tests.integration.observability.story import STORY, Traced, missing, story
from tests.otlp import ReceivedSpan, Receiver, receiving
from verification.testkit.waiting import eventually


# Of the package, as are the systems of tests/e2e: one that idles takes a tenth of a core.
@pytest.fixture(scope="package")
def traced(sample_credentials: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    """The system of `make up`, told where the collector is as a person tells it."""
    soon = {"OTEL_BSP_SCHEDULE_DELAY": "100"}  # milliseconds that spans wait for others
    with receiving() as receiver, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        with local(tmp_path_factory.mktemp("traced"), soon) as world:
            yield a_lifecycle(world, receiver)


def a_lifecycle(world: World, receiver: Receiver) -> Traced:
    """A client of ours that traces subscribes, and cancels the payment when it is there."""
    trace_id, span_id = token_hex(16), token_hex(8)
    carried = {"traceparent": f"00-{trace_id}-{span_id}-01"}
    answer = world.http.post(
        f"{world.addresses['subscription']}/subscriptions", json=ORDER, headers=carried
    )
    subscription_id: str = answer.json()["subscriptionId"]
    world.until("payment", subscription_id, "active")
    world.until("stock", subscription_id, "allocated")
    world.http.patch(
        f"{world.addresses['payment']}/payments/{subscription_id}",
        json={"status": "cancelled"},
        headers=carried,
    )
    world.until("subscription", subscription_id, "cancelled")
    world.until("stock", subscription_id, "deallocated")

    def whole() -> list[ReceivedSpan] | None:
        spans = receiver.trace(trace_id)
        return spans if story(spans, span_id) >= STORY else None

    try:
        spans = eventually(whole, timeout=90, what="the whole story")
    except AssertionError:
        pytest.fail(f"these spans did not come: {missing(receiver.trace(trace_id), span_id)}")
    return Traced(world, receiver, trace_id, span_id, subscription_id, spans)
