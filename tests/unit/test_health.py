"""Readiness and the health server of a worker."""

import httpx
from prometheus_client import CollectorRegistry, Counter

from infra.local_system.ports import LOOPBACK
from runtime.process.health import Readiness
from runtime.process.health_server import HealthServer


def test_a_process_is_ready_when_every_part_is_up() -> None:
    """A part that never reported keeps it unready, and one that went down makes it so again."""
    readiness = Readiness("a", "b")
    readiness.up("a")
    assert readiness.reasons() == {"b": "starting"}
    readiness.up("b")
    assert readiness.reasons() == {}
    readiness.down("a", "SQS is unavailable")
    assert readiness.reasons() == {"a": "SQS is unavailable"}


def test_a_process_that_was_ready_once_has_started() -> None:
    """All parts at the same time; what goes down later is no reason to start it again."""
    readiness = Readiness("a", "b")
    readiness.up("a")
    readiness.down("a", "away")
    readiness.up("b")
    assert readiness.reasons_at_start() == {"a": "away"}
    readiness.up("a")
    readiness.down("b", "SQS is unavailable")
    assert readiness.reasons_at_start() == {}
    assert readiness.reasons() == {"b": "SQS is unavailable"}
    assert Readiness().reasons_at_start() == {}


def test_health_over_http() -> None:
    """Alive always, ready with its parts, started once it was; metrics, and 404 with a hint."""
    readiness, registry = Readiness("queue"), CollectorRegistry()
    Counter("handled", "Messages.", registry=registry).inc()
    server = HealthServer(LOOPBACK, 0, readiness=readiness, registry=registry)
    with (
        server.serving(),
        httpx.Client(base_url=f"http://{LOOPBACK}:{server.port}", trust_env=False) as client,
    ):
        assert client.get("/healthz?why").text == "alive\n"
        unready = client.get("/readyz")
        assert (unready.status_code, unready.text) == (503, "queue: starting\n")
        unstarted = client.get("/startupz")
        assert (unstarted.status_code, unstarted.text) == (503, "queue: starting\n")
        readiness.up("queue")
        ready = client.get("/readyz")
        assert (ready.status_code, ready.text) == (200, "ready\n")
        readiness.down("queue", "away")
        started = client.get("/startupz")
        assert (started.status_code, started.text) == (200, "started\n")
        assert "handled_total 1.0" in client.get("/metrics").text
        assert client.get("/").status_code == 404
