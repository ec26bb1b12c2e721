"""/docs in a real browser that reaches nothing but the service itself."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from tests.operations import operations
from tests.system import NAMES, Name

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def visit(url: str, profile: Path) -> tuple[str, list[str]]:
    """Open a page in headless Chromium; its document when it is idle, and its console's lines."""
    done = subprocess.run(
        [
            str(CHROMIUM),
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            f"--user-data-dir={profile}",
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
            *("--enable-logging=stderr", "--v=0", "--virtual-time-budget=10000"),
            *("--dump-dom", url),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH; CI installs it")
@pytest.mark.parametrize("name", NAMES)
def test_the_page_shows_every_route_in_a_browser_without_the_internet(
    apis: Mapping[Name, httpx.Client], tmp_path: Path, name: Name
) -> None:
    """Swagger UI draws each operation, and the policy has nothing to object to."""
    document = apis[name].get("/openapi.json").json()
    shown, console = visit(str(apis[name].base_url.join("/docs")), tmp_path)
    wanted = list(operations(document))
    assert shown.count('class="opblock opblock-') == len(wanted)
    for operation in wanted:
        assert operation.described["summary"] in shown
    assert console == []


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH; CI installs it")
def test_an_open_route_shows_its_example_and_a_button_to_send_it(
    apis: Mapping[Name, httpx.Client], tmp_path: Path
) -> None:
    """A deep link opens the form: the example stands in it, one click from being sent."""
    page = apis["subscription"].base_url.join("/docs")
    link = f"{page}#/subscriptions/subscribe_subscriptions_post"
    shown, console = visit(link, tmp_path)
    assert "A Lovelace" in shown
    assert ">Execute<" in shown
    assert [line for line in console if "Content Security Policy" in line] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_page_needs_only_its_own_service(apis: Mapping[Name, httpx.Client], name: Name) -> None:
    """Every file that it names is the service's own, and the policy allows no other."""
    page = apis[name].get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    files = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(files) == 4
    for file in files:
        answer = apis[name].get(f"/{file}")
        assert answer.status_code == 200, file
        assert answer.content, file
    assert "http" not in page.text
