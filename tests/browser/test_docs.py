"""/docs of each API in a browser: drawn by the service alone, and nothing breaks its policy."""

import re

import httpx
import pytest
from playwright.sync_api import Browser, expect

from infra.local_system.addresses import addresses
from tests.browser.system import Running
from tests.browser.visitor import visiting
from tests.operations import operations
from tests.system import NAMES, Name


@pytest.mark.parametrize("name", NAMES)
def test_the_page_shows_every_route(browser: Browser, system: Running, name: Name) -> None:
    """Swagger UI draws each operation, and asks nobody but its own service."""
    address = addresses(system.settings)[name]
    document = httpx.get(f"{address}/openapi.json", trust_env=False).json()
    wanted = [operation.described["summary"] for operation in operations(document)]
    with visiting(browser, address) as visitor:
        visitor.page.goto(f"{address}/docs")
        shown = visitor.page.locator(".opblock-summary-description")
        expect(shown).to_have_text([re.compile(re.escape(each)) for each in wanted])


def test_an_open_route_shows_its_example_and_a_button_to_send_it(
    browser: Browser, system: Running
) -> None:
    """A deep link opens the form: the example stands in it, one click from being sent."""
    address = addresses(system.settings)["subscription"]
    with visiting(browser, address) as visitor:
        visitor.forgive("deep link whitespace")  # what Swagger UI says of its own links
        visitor.page.goto(f"{address}/docs#/subscriptions/subscribe_subscriptions_post")
        body = visitor.page.locator(".opblock-section-request-body")
        expect(body).to_contain_text("A Lovelace")
        expect(visitor.find("button", "Execute")).to_be_visible()
