"""What every response carries, and what an unexpected error looks like from both sides."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from tests.integration.test_api_bad_input import LISTS, problem
from tests.system import NAMES, Name, an_app, serving
from verification.testkit.waiting import eventually

WAITED_FOR = 60
"""Seconds: longer than a busy machine takes for anything here."""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("path", ["/", "/nowhere", "/healthz", "/metrics", "/openapi.json"])
def test_every_response_is_locked_down_and_named(
    apis: Mapping[Name, httpx.Client], name: Name, path: str
) -> None:
    """No sniffing, nothing to load, and an id to ask about it."""
    headers = apis[name].get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'"
    assert UUID(headers["x-correlation-id"]).version == 4


@pytest.mark.parametrize("sent", ["abc", "A1.b_c:d-e", "x" * 128])
def test_a_well_formed_correlation_id_is_echoed(stock: httpx.Client, sent: str) -> None:
    """The caller's id is taken over, on errors too."""
    answer = stock.get("/stock/nothing", headers={"X-Correlation-Id": sent})
    assert answer.status_code == 404
    assert answer.headers["x-correlation-id"] == sent


@pytest.mark.parametrize("sent", ["", "x" * 129, "a b", "a\tb", "é", '{"a":1}', "12-34-56;"])
def test_a_malformed_correlation_id_is_replaced(stock: httpx.Client, sent: str) -> None:
    """What cannot be searched for, or would break a log line, is not taken over."""
    answer = stock.get("/stock", headers=[(b"X-Correlation-Id", sent.encode())])
    assert answer.status_code == 200
    assert UUID(answer.headers["x-correlation-id"]).version == 4


@pytest.mark.parametrize("name", NAMES)
def test_health_readiness_and_metrics(apis: Mapping[Name, httpx.Client], name: Name) -> None:
    """Alive, ready, and counting requests by route template: no id becomes a label."""
    client = apis[name]
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}
    path = LISTS[name]
    client.get(f"{path}/a-telling-id")
    client.head(f"{path}/a-telling-id")
    client.request("BREW", "/a-telling-path")

    def counted() -> str | None:
        # A request is counted after its answer: it says how long that took.
        text = client.get("/metrics").text
        last = 'method="other",route="unknown",status="404"'
        return text if last in text else None

    text = eventually(counted, what="both requests are counted")
    assert f'method="GET",route="{path}/{{' in text
    assert f'method="HEAD",route="{path}/{{' in text
    assert "a-telling" not in text
    assert "BREW" not in text
    assert "process_resident_memory_bytes" in text


def test_an_api_whose_threads_all_wait_is_alive() -> None:
    """Fifty requests that a database keeps waiting do not make the process look dead."""
    router, waiting, back = APIRouter(), threading.Semaphore(0), threading.Event()

    @router.get("/slow")
    def slow() -> None:
        waiting.release()
        back.wait(WAITED_FOR)

    with serving(an_app(router)) as url, ThreadPoolExecutor(50) as pool:
        answers = [pool.submit(httpx.get, f"{url}/slow", timeout=2 * WAITED_FOR) for _ in range(50)]
        for _ in range(40):
            assert waiting.acquire(timeout=WAITED_FOR)
        assert httpx.get(f"{url}/healthz", timeout=WAITED_FOR / 2).status_code == 200
        assert httpx.get(f"{url}/metrics", timeout=WAITED_FOR / 2).status_code == 200
        back.set()
        assert {answer.result().status_code for answer in answers} == {200}


def test_an_unexpected_error_is_500_without_details_and_logged_once() -> None:
    """The caller gets the id to ask with; the log has the rest, under the same id, one time."""
    router = APIRouter()

    @router.get("/broken")
    def broken() -> None:
        raise ValueError("the secret inside")

    with serving(an_app(router)) as url, capture_logs(processors=[merge_contextvars]) as lines:

        def told(event: str) -> list[Any]:
            return [line for line in lines if line["event"] == event]

        answer = httpx.get(f"{url}/broken", headers={"X-Correlation-Id": "ask-me"})
        # The line comes after the answer: it says how long that took.
        eventually(lambda: told("request"), what="the request's line")
    problem(answer, 500, "internal-error")
    assert "secret" not in answer.text
    assert answer.headers["x-correlation-id"] == "ask-me"
    (failure,) = [line for line in lines if line["log_level"] == "error"]
    assert failure["correlationId"] == "ask-me"
    assert failure["exc_info"]
    (request,) = told("request")
    assert (request["route"], request["status"]) == ("/broken", 500)
