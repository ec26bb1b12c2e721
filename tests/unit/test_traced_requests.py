"""The span around a request, as the application inside and the caller outside know it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import pytest
from fastapi import APIRouter, FastAPI, HTTPException, Request
from prometheus_client import CollectorRegistry

from runtime.http.app import cause_of
from runtime.process.tracing import Tracer
from tests.builders import TRACEPARENT
from tests.recorded import Recorded, attributes_of, error_of, ids_of, parent_of, traceparent_of
from tests.system import an_app


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@dataclass(frozen=True)
class Client:
    app: FastAPI

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self.request("GET", path, headers)

    def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(asked())


def calling(tracer: Tracer | None) -> Client:
    """A client of an API that answers with the traceparent that what it commits would carry."""
    router = APIRouter()

    @router.get("/things/{thing}")
    async def thing(request: Request, thing: str) -> str | None:
        if thing == "away":
            raise HTTPException(503)
        if thing == "broken":
            raise ValueError("12345678 is no account")
        return cause_of(request).traceparent

    return Client(an_app(router, registry=CollectorRegistry(), tracer=tracer))


def test_what_a_request_leads_to_is_a_child_of_its_span(recorded: Recorded) -> None:
    """Which is a child of the caller's: the cause carries the span, not the caller."""
    answer = calling(recorded.tracer).get("/things/a", headers={"traceparent": TRACEPARENT})
    assert parent_of(recorded.only) == tuple(TRACEPARENT.split("-")[1:3])
    assert answer.json() == traceparent_of(recorded.only)


@pytest.mark.parametrize("headers", [{}, {"traceparent": "nonsense"}])
def test_a_caller_that_does_not_trace_begins_a_trace(
    recorded: Recorded, headers: dict[str, str]
) -> None:
    """A header that cannot be read is as good as none."""
    answer = calling(recorded.tracer).get("/things/a", headers=headers)
    assert parent_of(recorded.only) is None
    assert ids_of(recorded.only)[0] in answer.json()


def test_without_a_tracer_the_callers_context_is_carried_on() -> None:
    """As it is: whoever traces before and after us sees one trace, without us in it."""
    client = calling(None)
    assert client.get("/things/a", headers={"traceparent": TRACEPARENT}).json() == TRACEPARENT
    assert client.get("/things/a", headers={"traceparent": "nonsense"}).json() is None


def test_a_span_is_named_by_the_route_and_never_by_the_path(recorded: Recorded) -> None:
    """An unknown path has no route, and an invented method no name: names are few."""
    client = calling(recorded.tracer)
    client.get("/things/a?account=12345678")
    client.get("/elsewhere/12345678")
    client.request("BREW", "/things/a")
    assert [span.name for span in recorded.spans] == [
        "GET /things/{thing}",
        "GET",
        "HTTP /things/{thing}",
    ]
    known, unknown, invented = map(attributes_of, recorded.spans)
    assert (known["http.route"], known["http.response.status_code"]) == ("/things/{thing}", 200)
    assert "http.route" not in unknown
    assert invented["http.request.method"] == "_OTHER"
    assert not [span for span in recorded.spans if "12345678" in span.to_json()]


@pytest.mark.parametrize(("thing", "status"), [("away", 503), ("broken", 500)])
def test_a_request_that_the_server_fails_fails_its_span(
    recorded: Recorded, thing: str, status: int
) -> None:
    """By the status alone: what the error says is in the log, masked."""
    calling(recorded.tracer).get(f"/things/{thing}")
    assert error_of(recorded.only) == str(status)
    assert attributes_of(recorded.only)["http.response.status_code"] == status
    assert "no account" not in recorded.only.to_json()


def test_a_request_that_the_caller_got_wrong_does_not(recorded: Recorded) -> None:
    """A 404 is an answer: so say the conventions of a server's span."""
    calling(recorded.tracer).get("/elsewhere")
    assert error_of(recorded.only) is None


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_and_scrapes_have_no_span(recorded: Recorded, path: str) -> None:
    """They come every few seconds and tell nothing."""
    assert calling(recorded.tracer).get(path).is_success
    assert recorded.spans == []
