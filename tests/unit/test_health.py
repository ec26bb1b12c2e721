"""Readiness and the health server of a worker."""

import httpx
from prometheus_client import CollectorRegistry, Counter

from infra.local_system.ports import LOOPBACK
from runtime.process.health import HealthServer, Readiness


def test_a_process_is_ready_when_every_part_is_up() -> None:
    """A part that never reported keeps it unready, and one that went down makes it so again."""
    readiness = Readiness("a", "b")
    readiness.up("a")
    assert readiness.reasons() == {"b": "starting"}
    readiness.up("b")
    assert readiness.reasons() == {}
    readiness.down("a", "SQS is unavailable")
    assert readiness.reasons() == {"a": "SQS is unavailable"}


def test_health_over_http() -> None:
    """Alive always, ready with its parts, metrics from its registry, 404 with a hint."""
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
        readiness.up("queue")
        ready = client.get("/readyz")
        assert (ready.status_code, ready.text) == (200, "ready\n")
        assert "handled_total 1.0" in client.get("/metrics").text
        assert client.get("/").status_code == 404
