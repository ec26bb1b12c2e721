"""The collections of requests: both have every route of the three APIs, with checks."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local_system.addresses import addresses
from infra.local_system.auth import issuer_address
from infra.local_system.ports import LOOPBACK
from infra.local_system.settings import ROOT, LocalSettings
from infra.topology import WORKLOADS
from runtime.http.problem_kinds import (
    INVALID,
    INVALID_CURSOR,
    INVALID_SIGNATURE,
    MALFORMED,
    NOT_FOUND,
)
from tools.reference.routes import apps
from tools.run_requests import COLLECTIONS, commands, run

TEXT = (COLLECTIONS / "streamed-events.http").read_text(encoding="utf-8")
POSTMAN: dict[str, Any] = json.loads(
    (COLLECTIONS / "streamed-events.postman_collection.json").read_text(encoding="utf-8")
)
ENVIRONMENTS: dict[str, dict[str, str]] = json.loads(
    (COLLECTIONS / "http-client.env.json").read_text(encoding="utf-8")
)
Route = tuple[str, str, str]
"""The API's variable, the method, and the path with {} for what is filled in."""


def routes() -> set[Route]:
    """Every route of the OpenAPI documents but /outbox, and the two of health."""
    found: set[Route] = set()
    for workload, app in zip((each for each in WORKLOADS if each.path), apps(), strict=True):
        name = workload.name.replace("-api", "Api")
        found |= {(name, "GET", "/healthz"), (name, "GET", "/readyz")}
        found |= {
            (name, method.upper(), re.sub(r"\{.*?\}", "{}", path))
            for path, methods in app.openapi()["paths"].items()
            for method in methods
            if path != "/outbox"
        }
    return found


def asked(method: str, url: str) -> Route:
    """The route of a request as it stands in a collection."""
    match = re.fullmatch(r"\{\{(\w+)\}\}(/[^?]*)(\?.*)?", url)
    assert match, f"{method} {url} does not begin with the variable of an API"
    return match[1], method, re.sub(r"\{\{\w+\}\}", "{}", match[2])


def requests_of_text() -> Iterator[tuple[str, str]]:
    """Each request of the .http file: its route's line, and all that is said about it."""
    for section in TEXT.split("\n### ")[1:]:
        (line,) = re.findall(r"^(?:GET|POST|PATCH|PUT|DELETE) .*$", section, re.MULTILINE)
        yield line, section


def requests_of_postman(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for item in items:
        if "item" in item:
            yield from requests_of_postman(item["item"])
        else:
            yield item


def test_the_text_has_every_route() -> None:
    """A new route needs a request here."""
    assert routes() - {asked(*line.split(" ", 1)) for line, _ in requests_of_text()} == set()


def test_the_postman_collection_has_every_route() -> None:
    """A new route needs a request here, too."""
    found = {
        asked(item["request"]["method"], item["request"]["url"]["raw"])
        for item in requests_of_postman(POSTMAN["item"])
    }
    assert routes() - found == set()


def test_every_request_has_a_check_or_waits_for_one() -> None:
    """A request whose answer nobody looks at proves nothing."""
    for line, section in requests_of_text():
        assert "client.test(" in section or "# @loop while" in section, line
    for item in requests_of_postman(POSTMAN["item"]):
        scripts = [line for each in item["event"] for line in each["script"]["exec"]]
        assert any("pm.test(" in line for line in scripts), item["name"]


def test_postman_addresses_agree_with_their_parts() -> None:
    """Postman sends the parts of an address, not its text."""
    for item in requests_of_postman(POSTMAN["item"]):
        url = item["request"]["url"]
        query = "&".join(f"{each['key']}={each['value']}" for each in url.get("query", []))
        built = "/".join([*url["host"], *url["path"]]) + (f"?{query}" if query else "")
        assert url["raw"] == built


def test_every_request_for_a_row_has_a_token_where_one_is_required() -> None:
    """Those of health and the bank's need none; Postman's script puts it into each that is sent."""
    for line, section in requests_of_text():
        needs_none = re.search(r"/(healthz|readyz|metrics|token|webhooks/direct-debit)$", line)
        bearer = "Authorization: Bearer {{token}}" in section
        assert bearer != bool(needs_none), line
    (script,) = POSTMAN["event"]
    assert script["listen"] == "prerequest"
    assert any('"Bearer " + token' in line for line in script["script"]["exec"])


@pytest.mark.parametrize("kind", [NOT_FOUND, INVALID, MALFORMED, INVALID_CURSOR, INVALID_SIGNATURE])
def test_both_know_the_problems_by_their_type(kind: Any) -> None:
    """The type is what a caller branches on, so it is what they check."""
    assert kind.uri in TEXT
    assert kind.uri in json.dumps(POSTMAN)


def test_they_find_the_system_of_make_up() -> None:
    """Their own addresses are those of the ports that nobody has changed."""
    ports = LocalSettings.model_construct()
    expected = {f"{name}Api": url for name, url in addresses(ports).items()}
    expected |= {"issuer": issuer_address(ports), "clientId": "staff", "clientSecret": ""}
    expected["webhookSecret"] = ""  # `make up` makes it: it is in no file of ours
    assert ENVIRONMENTS["local"] == expected
    assert {each["key"]: each["value"] for each in POSTMAN["variable"]} == expected
    assert all(LOOPBACK in url for url in expected.values() if "://" in url)


def test_the_runners_are_installed_and_get_the_addresses() -> None:
    """Each collection is run once, by a runner of a lock, against the addresses that are given."""
    ran = commands({"stockApi": "http://127.0.0.1:1", "webhookSecret": "whsec_x"})
    runners = json.loads((ROOT / "tools/npm/requests/package.json").read_text())["dependencies"]
    assert [Path(path).name for command in ran for path in command if "/collections/" in path] == [
        "streamed-events.postman_collection.json",
        "streamed-events.http",
    ]
    for command in ran:
        assert Path(command[0]).name in runners
        assert "stockApi=http://127.0.0.1:1" in command
        assert "webhookSecret=whsec_x" in command


@pytest.mark.parametrize(("status", "words"), [("0", "went well"), ("3", "failed (3)")])
def test_a_runner_that_fails_is_told(
    status: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its exit code is ours."""
    assert run(("sh", "-c", f"exit {status}")) == int(status)
    assert words in capsys.readouterr().out
