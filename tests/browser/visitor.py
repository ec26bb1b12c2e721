"""A person at the console: what they open and find, and what goes wrong on their page meanwhile."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect

Scheme = Literal["light", "dark"]
Role = Literal["article", "button", "heading", "link", "list", "region", "table", "textbox"]

PATIENCE_MS = 60_000
"""The machine is busy with other tests."""

HEIGHT = 900

REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", ({violatedDirective, blockedURI}) =>
  console.error(`the policy was violated: ${violatedDirective} ${blockedURI}`));
"""


class Visitor:
    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self._troubles: list[str] = []
        self._forgiven: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(REPORT_VIOLATIONS)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._troubles.append(str(error)))
        page.on("request", self._watch)

    def open(self, view: str) -> None:
        """Load a view by its address, and wait until it is live; after another, it is a link."""
        self.page.goto(f"{self.url}/#/{view}")
        expect(self.page.locator("#connection")).to_have_text("live")

    def go(self, label: str) -> None:
        """Choose a view in the navigation; it says in the page's title what it is."""
        views = self.page.get_by_role("navigation", name="Views")
        views.get_by_role("link", name=label, exact=True).click()
        expect(self.page).to_have_title(f"{label} · streamed events")

    def find(self, role: Role, name: str) -> Locator:
        """Find what has exactly this role and name."""
        return self.page.get_by_role(role, name=name, exact=True)

    def press(self, name: str) -> None:
        self.find("button", name).click()

    def node(self, name: str) -> Locator:
        """Find a node on the map; its attribute data-state says how it does."""
        return self.page.get_by_role("group", name="Map of the system").get_by_title(
            name, exact=True
        )

    def verdict(self) -> Locator:
        return self.page.locator(".verdict")

    def sees_states(self, *words: str) -> None:
        """Wait for what each service says of the subscription that is followed."""
        services = self.page.locator(".state")
        expect(services.locator("h3")).to_have_text(["subscription", "stock", "payment"])
        expect(services.locator(".state-word")).to_have_text([f"● {word}" for word in words])

    def sees_all_has_happened(self) -> None:
        """Wait until nothing is expected any more of the subscription that is followed."""
        expect(self.verdict()).to_contain_text("Everything that was to happen has happened")

    def look(self, *, width: int, height: int = HEIGHT, scheme: Scheme = "light") -> None:
        """See the page that is open on a screen of this size in pixels, in these colours."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme=scheme)
        expect(self.page.locator("html")).to_have_attribute("data-theme", scheme)

    def troubles(self) -> list[str]:
        """What the page complained of, and whom it asked that is not the console."""
        return [
            trouble
            for trouble in self._troubles
            if not any(re.search(pattern, trouble) for pattern in self._forgiven)
        ]

    def forgive(self, pattern: str) -> None:
        """Expect troubles that match, whenever they are heard of."""
        self._forgiven.append(pattern)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._troubles.append(f"{message.text} ({message.location.get('url', '')})")

    def _watch(self, request: Request) -> None:
        if not request.url.startswith(f"{self.url}/") and urlsplit(request.url).scheme != "data":
            self._troubles.append(f"a request to {request.url}")


@contextmanager
def visiting(browser: Browser, url: str, *, is_still: bool = True) -> Iterator[Visitor]:
    """Open a browser's new profile; nothing may have gone wrong on its page when the block ends.

    `is_still`: the person wants no motion.
    """
    context = browser.new_context(
        viewport={"width": 1440, "height": HEIGHT},
        color_scheme="light",
        reduced_motion="reduce" if is_still else "no-preference",
    )
    with context:
        visitor = Visitor(context.new_page(), url)
        yield visitor
        assert visitor.troubles() == [], visitor.troubles()
