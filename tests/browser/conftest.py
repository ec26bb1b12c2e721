"""One system and one browser for all tests of the page; each test has a profile of its own."""

from collections.abc import Generator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from playwright.sync_api import Browser, expect

from local.child import last_lines
from tests.browser.browser import NoBrowser, chromium
from tests.browser.system import Running, running
from tests.browser.visitor import PATIENCE_MS, Visitor, visiting
from tests.missing_tools import CHROMIUM, missing

MOST_SHOWN = 4000
"""Characters of the page beside a failure."""

PROCESSES_TAKE = 400
"""Seconds for a test with its fixtures: fourteen processes start at once on a busy machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(PROCESSES_TAKE))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What the page showed, and what `make up` said last, is beside a failure."""
    report = yield
    system = getattr(item, "funcargs", {}).get("system")
    if report.failed and isinstance(system, Running):
        report.sections.append(("make up", "\n".join(last_lines(system.log))))
    visitor = getattr(item, "funcargs", {}).get("visitor")
    if report.failed and report.when == "call" and isinstance(visitor, Visitor):
        page = visitor.page
        shown = page.locator("body").inner_text()[:MOST_SHOWN]
        report.sections.append(("the page", f"{page.url}\n{shown}"))
        report.sections.append(("troubles of the page", "\n".join(visitor.troubles())))
    return report


# Of the package, not of the session: while Playwright runs, asyncio.run() fails in other tests.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    try:
        with chromium() as started:
            yield started
    except NoBrowser:
        missing(CHROMIUM)


@pytest.fixture(scope="package")
def system(browser: Browser, sample_credentials: None) -> Iterator[Running]:
    """The system with its console, at work, which a test leaves as it was found.

    The browser comes first: without one, no test has a use for fourteen processes.
    """
    # Its own place: the path of a socket there must be short.
    with TemporaryDirectory(prefix="streamed-") as folder, running(Path(folder)) as started:
        yield started


@pytest.fixture
def visitor(browser: Browser, system: Running) -> Iterator[Visitor]:
    with visiting(browser, system.url) as someone:
        yield someone


@pytest.fixture(scope="package")
def lived(system: Running) -> str:
    """A subscription whose payment was cancelled: everything that can happen has happened to it."""
    subscription_id = system.order()
    system.until_settled(subscription_id)
    system.cancel_payment(subscription_id)
    system.until_settled(subscription_id)
    return subscription_id
