"""The span around a request, as the application inside and the caller outside know it."""

import pytest
from fastapi import APIRouter, FastAPI, HTTPException, Request

from runtime.http.app import cause_of
from runtime.process.tracing import Tracer
from tests.builders import TRACEPARENT
from tests.recorded import Recorded, attributes_of, error_of, ids_of, parent_of, traceparent_of
from tests.relay_fakes import MemoryOutbox
from tests.system import an_app, ask


def an_api(tracer: Tracer | None) -> FastAPI:
    """An API that answers with the traceparent that what it commits would carry."""
    router = APIRouter()

    @router.get("/things/{thing}")
    async def thing(request: Request, thing: str) -> str | None:
        if thing == "away":
            raise HTTPException(503)
        if thing == "broken":
            raise ValueError("12345678 is no account")
        return cause_of(request).traceparent

    return an_app(router, tracer=tracer, outbox=MemoryOutbox())


def test_what_a_request_leads_to_is_a_child_of_its_span(recorded: Recorded) -> None:
    """Which is a child of the caller's: the cause carries the span, not the caller."""
    answer = ask(an_api(recorded.tracer), "GET", "/things/a", headers={"traceparent": TRACEPARENT})
    assert parent_of(recorded.only) == tuple(TRACEPARENT.split("-")[1:3])
    assert answer.json() == traceparent_of(recorded.only)


@pytest.mark.parametrize("headers", [{}, {"traceparent": "nonsense"}])
def test_a_caller_that_does_not_trace_begins_a_trace(
    recorded: Recorded, headers: dict[str, str]
) -> None:
    """A header that cannot be read is as good as none."""
    answer = ask(an_api(recorded.tracer), "GET", "/things/a", headers=headers)
    assert parent_of(recorded.only) is None
    assert ids_of(recorded.only)[0] in answer.json()


def test_without_a_tracer_the_callers_context_is_carried_on() -> None:
    """As it is: whoever traces before and after us sees one trace, without us in it."""
    app = an_api(None)
    assert ask(app, "GET", "/things/a", headers={"traceparent": TRACEPARENT}).json() == TRACEPARENT
    assert ask(app, "GET", "/things/a", headers={"traceparent": "nonsense"}).json() is None


def test_a_span_is_named_by_the_route_and_never_by_the_path(recorded: Recorded) -> None:
    """An unknown path has no route, and an invented method no name: names are few."""
    app = an_api(recorded.tracer)
    ask(app, "GET", "/things/a?account=12345678")
    ask(app, "GET", "/elsewhere/12345678")
    ask(app, "BREW", "/things/a")
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
    ask(an_api(recorded.tracer), "GET", f"/things/{thing}")
    assert error_of(recorded.only) == str(status)
    assert attributes_of(recorded.only)["http.response.status_code"] == status
    assert "no account" not in recorded.only.to_json()


def test_a_request_that_the_caller_got_wrong_does_not(recorded: Recorded) -> None:
    """A 404 is an answer: so say the conventions of a server's span."""
    ask(an_api(recorded.tracer), "GET", "/elsewhere")
    assert error_of(recorded.only) is None


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/startupz", "/metrics", "/outbox"])
def test_probes_and_scrapes_have_no_span(recorded: Recorded, path: str) -> None:
    """They come every few seconds and tell nothing."""
    assert ask(an_api(recorded.tracer), "GET", path).is_success
    assert recorded.spans == []
