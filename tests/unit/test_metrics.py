"""What is counted, under which names: as the handbook says, and no label without bound."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter
from prometheus_client import CollectorRegistry, Metric

from runtime.metrics import MOST_REASONS, ConsumerMetrics, HttpMetrics, RelayMetrics
from tests.system import an_app
from verification.testkit.waiting import eventually

HANDBOOK = Path(__file__).parents[2] / "docs/operations.md"


def families(of: type[HttpMetrics | ConsumerMetrics | RelayMetrics]) -> list[Metric]:
    registry = CollectorRegistry()
    metrics = of(registry)
    if isinstance(metrics, HttpMetrics):
        metrics.done("GET", "/", 200, 0.1)
    elif isinstance(metrics, ConsumerMetrics):
        metrics.begun("queue")
        metrics.done("queue", "handled", 0.1)
        metrics.effect("queue", "StockAllocated", 0.1)
    else:
        metrics.refused("ThrottlingException")
        metrics.accepted([datetime.now(UTC)])
    return list(registry.collect())


def documented() -> dict[str, tuple[str, set[str]]]:
    """Whose each metric of the handbook's table is, and its labels."""
    rows = re.findall(r"^\| `(\w+)` \| ([\w ]+) \|([^|]*)\|", HANDBOOK.read_text(), re.MULTILINE)
    return {name: (whose, set(re.findall(r"`(\w+)`", labels))) for name, whose, labels in rows}


@pytest.mark.parametrize(
    ("of", "whose"),
    [
        (HttpMetrics, {"APIs"}),
        (ConsumerMetrics, {"consumers"}),
        (RelayMetrics, {"relays", "outbox relays"}),
    ],
)
def test_the_handbook_has_every_metric_and_its_labels(
    of: type[HttpMetrics | ConsumerMetrics | RelayMetrics], whose: set[str]
) -> None:
    """And no other: the table is the code's."""
    exposed = {
        family.name + ("_total" if family.type == "counter" else ""): set[str]().union(
            *(sample.labels for sample in family.samples)
        )
        - {"le"}
        for family in families(of)
    }
    assert exposed == {name: labels for name, (who, labels) in documented().items() if who in whose}


def test_names_end_in_their_unit() -> None:
    """Seconds, or what is counted: by Prometheus's conventions."""
    for of in (HttpMetrics, ConsumerMetrics, RelayMetrics):
        for family in families(of):
            if family.type == "histogram":
                assert family.name.endswith("_seconds")
            if {"age", "lag"} & set(family.name.split("_")):
                assert family.name.endswith("_seconds")
            assert family.documentation.endswith(".")


def test_reasons_have_a_bound() -> None:
    """A target may make codes up, and each would be kept for ever: past some they are other."""
    registry = CollectorRegistry()
    metrics = RelayMetrics(registry)
    for number in range(MOST_REASONS + 10):
        metrics.refused(f"Code{number}")
    metrics.refused("Code0", 3)

    def counted(reason: str) -> float | None:
        return registry.get_sample_value("relay_publish_failures_total", {"reason": reason})

    assert (counted("Code0"), counted("other")) == (4, 10)
    assert counted(f"Code{MOST_REASONS}") is None


def test_a_message_is_in_flight_from_its_receipt_to_its_end() -> None:
    """Whatever that end is."""
    registry = CollectorRegistry()
    metrics = ConsumerMetrics(registry)

    def in_flight() -> float | None:
        return registry.get_sample_value("consumer_messages_in_flight", {"queue": "a"})

    metrics.begun("a")
    metrics.begun("a")
    assert in_flight() == 2
    metrics.done("a", "handled", 0.1)
    metrics.done("a", "dead-lettered", 0.1)
    assert in_flight() == 0


def test_a_publication_is_measured_from_its_event() -> None:
    """In seconds; a clock that is ahead makes none."""
    registry = CollectorRegistry()
    metrics = RelayMetrics(registry)
    now = datetime.now(UTC)
    metrics.accepted([now - timedelta(seconds=5), now + timedelta(hours=1)])
    assert registry.get_sample_value("relay_commit_to_publish_seconds_count") == 2
    total = registry.get_sample_value("relay_commit_to_publish_seconds_sum")
    assert total == pytest.approx(5, abs=1)


def test_a_request_is_active_until_it_is_answered() -> None:
    """Also one that fails."""
    registry = CollectorRegistry()
    router, goes_on = APIRouter(), asyncio.Event()

    @router.get("/slow")
    async def slow() -> None:
        await goes_on.wait()
        raise LookupError

    app = an_app(router, registry=registry)

    def active() -> float | None:
        return registry.get_sample_value("http_server_active_requests")

    async def asked() -> list[float | None]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            answers = [asyncio.create_task(client.get("/slow")) for _ in range(2)]
            seen = [active()]
            await asyncio.to_thread(eventually, lambda: active() == 2, what="two requests")
            seen.append(active())
            goes_on.set()
            assert [answer.status_code for answer in await asyncio.gather(*answers)] == [500, 500]
        return [*seen, active()]

    assert asyncio.run(asked()) == [0, 2, 0]
