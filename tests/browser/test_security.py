"""What a browser may do with the console: everything by its own page, nothing by another's."""

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from prometheus_client.parser import text_string_to_metric_families

from tests.browser.system import Running
from tests.browser.visitor import Visitor
from tests.system import serving
from verification.testkit.waiting import eventually

ACT = """
async ([url, options]) => {
  try { return (await fetch(url, {method: "POST", ...options})).status; }
  catch (error) { return error.message; }
}
"""


def test_the_policy_stops_what_does_not_come_from_the_console(visitor: Visitor) -> None:
    """A script that somebody got into the page is not run, and nothing can be sent elsewhere."""
    visitor.forgive("violate|Refused to connect|localhost:9/")
    visitor.open("map")
    done = visitor.page.evaluate(
        """async () => {
          const violated = [];
          const both = new Promise((resolve) => addEventListener("securitypolicyviolation",
            ({effectiveDirective}) => { if (violated.push(effectiveDirective) === 2) resolve(); }));
          const script = document.createElement("script");
          script.textContent = "window.injected = true";
          document.body.append(script);
          const sent = await fetch("http://localhost:9/").then(() => true, () => false);
          await both;
          return [window.injected === true, sent, violated.sort()];
        }"""
    )
    assert done == [False, False, ["connect-src", "script-src-elem"]]


def test_a_page_of_another_site_reads_nothing_and_does_nothing(
    visitor: Visitor, system: Running
) -> None:
    """It gets neither the token nor an answer, and what it sends blindly is refused."""
    visitor.forgive("")
    with serving(a_site()) as elsewhere:
        visitor.page.goto(elsewhere)
        about = [f"{visitor.url}/api/about", {"method": "GET"}]
        assert visitor.page.evaluate(ACT, about) == "Failed to fetch"
        before = refused(system)
        blind = {"mode": "no-cors", "body": '{"refuse":true}'}
        visitor.page.evaluate(ACT, [f"{visitor.url}/api/breaking/bus", blind])
        eventually(lambda: refused(system) == before + 1, what="the refusal of a blind request")
    assert not system.http.get("/api/breaking").json()["bus"]["refusing"]


def a_site() -> FastAPI:
    site = FastAPI()
    site.get("/", response_class=HTMLResponse)(lambda: "<!doctype html><p>Nice razors</p>")
    return site


def refused(system: Running) -> int:
    """How many actions the console has refused, by its own count: a browser does not tell."""
    counted = text_string_to_metric_families(system.http.get("/metrics").text)
    return sum(
        int(sample.value)
        for family in counted
        for sample in family.samples
        if sample.name == "http_server_request_duration_seconds_count"
        and (sample.labels["method"], sample.labels["status"]) == ("POST", "403")
    )
