"""The page of events in a browser: narrow and wide, light and dark, and for everybody."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from playwright.sync_api import Browser, Error, Page, sync_playwright
from starlette.requests import Request
from starlette.responses import Response

from console.reference.routes import router
from console.security import HEADERS
from local.ports import free_ports, wait_until_listening

PAGE = Path(__file__).parent.parent.parent / "console" / "page"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The page behind the console's own security headers, without the rest of the console."""
    app = FastAPI()
    app.include_router(router())
    app.mount("/page", StaticFiles(directory=PAGE))

    @app.middleware("http")
    async def guard(request: Request, call_next: object) -> Response:
        response: Response = await call_next(request)  # type: ignore[operator]
        response.headers.update(HEADERS)
        return response

    (port,) = free_ports(1)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = Thread(target=server.run)
    thread.start()
    wait_until_listening(port, timeout=20, what="the page of events")
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    installed = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    arguments = ["--disable-gpu", "--no-first-run", "--disable-background-networking"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=installed, args=arguments)
        except Error as error:
            pytest.skip(f"there is no browser: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture(params=[(360, "light"), (768, "dark"), (1440, "light"), (360, "dark")], ids=str)
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    width, scheme = request.param
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.set_default_timeout(20_000)
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(f"{address}/asyncapi")
    page.wait_for_selector(f'html[data-theme="{scheme}"]')
    yield page
    assert troubles == []
    page.close()


def test_it_is_accessible_and_fits_its_screen(page: Page) -> None:
    """Axe finds nothing with every fold open, and nothing is wider than the screen."""
    for fold in page.locator("summary").all():
        fold.click()
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_contents_lead_to_an_event_and_its_fields_open_by_keyboard(page: Page) -> None:
    """Without a mouse: a link of the contents, then the fold behind it."""
    page.locator(".contents").get_by_role("link", name="StockAllocated").press("Enter")
    article = page.get_by_role("article", name="StockAllocated")
    article.locator("summary").first.press("Enter")
    assert article.get_by_text("metadata.eventId").is_visible()
