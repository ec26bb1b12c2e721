"""How every view looks: on narrow and wide screens, in light and dark, and for everybody."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Locator, Page, expect

from tests.browser.system import Running
from tests.browser.visitor import Scheme, Visitor

WIDTHS = (360, 768, 1440)

LOOKED_AT_BY_AXE = {("light", 360), ("dark", 1440)}
"""Every rule in both layouts and in both schemes; their other pairs have nothing of their own."""

QUEUE, DEAD_LETTERS = "subscriptions-payment-cancelled", "cancel-subscription-dlq"

OUT_OF_SIGHT = """
() => [...document.querySelectorAll("a, button, input, select, h1, h2, h3, summary, label")]
  .filter((each) => each.checkVisibility({visibilityProperty: true}) && !each.closest(".skip"))
  .filter((each) => {
    for (let box = each.parentElement; box; box = box.parentElement)
      if (["auto", "scroll"].includes(getComputedStyle(box).overflowX)) return false;
    const {left, right, width} = each.getBoundingClientRect();
    return width && (left < -1 || right > innerWidth + 1);
  })
  .map((each) => `${each.tagName} ${each.textContent || each.ariaLabel || each.name}`)
"""
"""What a person can read or use and that lies beside the screen, in no box that scrolls."""

View = Callable[[Visitor, Running, str], Locator]
"""Opens a view as full as it gets, for a subscription; returns its main control."""


def the_map(visitor: Visitor, system: Running, lived: str) -> Locator:
    visitor.open("map/bus:stock-event-bus")
    expect(visitor.find("region", "Details of a node")).to_be_visible()
    system.until_settled(system.order())
    expect(visitor.page.get_by_title("Follow ").first).to_be_visible()
    return visitor.node("subscriptions-outbox")


def what_needs_a_person(visitor: Visitor, system: Running, lived: str) -> Locator:
    visitor.open("map")
    visitor.go("Follow")
    expect(visitor.page.get_by_text(lived)).to_be_visible()
    visitor.press("Nothing needs attention")
    expect(visitor.find("region", "What needs attention")).to_be_visible()
    return visitor.find("button", "Follow")


def a_journey(visitor: Visitor, system: Running, lived: str) -> Locator:
    visitor.open(f"follow/{lived}")
    expect(visitor.page.locator(".bodies details")).to_have_count(6)
    visitor.page.locator(".state summary").first.click()
    visitor.page.locator(".bodies summary").last.click()
    return visitor.find("button", "Follow")


def what_went_over_the_wire(visitor: Visitor, system: Running, lived: str) -> Locator:
    visitor.open(f"try/{lived}")
    visitor.press("Create subscription")
    visitor.press("Cancel payment")
    for title in ("Create a subscription", "Cancel a payment"):
        expect(visitor.find("region", f"{title}: what went over the wire")).to_be_visible()
    return visitor.find("button", "Create subscription")


def a_dead_letter_and_its_preview(visitor: Visitor, system: Running, lived: str) -> Locator:
    system.breaking("poison", queue=QUEUE, kind="missing field")
    visitor.open(f"dead-letters/{DEAD_LETTERS}")
    visitor.page.get_by_text("Attributes and body").click()
    expect(visitor.find("heading", "Body")).to_be_visible()
    visitor.page.get_by_role("checkbox", name="Select all").check()
    visitor.press("Preview drop")
    expect(visitor.find("textbox", "Type drop to confirm")).to_be_visible()
    return visitor.find("button", "Drop 1 dead letter")


def a_replay_and_its_preview(visitor: Visitor, system: Running, lived: str) -> Locator:
    visitor.open("replay/payments-event-bus")
    visitor.press("Preview replay")
    expect(visitor.find("table", "Events that would be replayed")).to_be_visible()
    return visitor.find("button", "Start replay")


def what_can_be_broken(visitor: Visitor, system: Running, lived: str) -> Locator:
    visitor.open("map")
    visitor.go("Break it")
    return visitor.find("button", "Stop subscriptions-relay")


def the_events(visitor: Visitor, system: Running, lived: str) -> Locator:
    visitor.open("map")
    visitor.go("Events")
    for fold in visitor.page.locator("summary").all():
        fold.click()
    return visitor.find("article", "StockAllocated")


VIEWS: list[View] = [
    the_map,
    what_needs_a_person,
    a_journey,
    what_went_over_the_wire,
    a_dead_letter_and_its_preview,
    a_replay_and_its_preview,
    what_can_be_broken,
    the_events,
]


@pytest.fixture
def no_dead_letters_left(system: Running) -> Iterator[None]:
    """Drop what a view wanted to show."""
    yield
    system.drop_all(DEAD_LETTERS)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_a_view_fits_every_screen_and_is_for_everybody(
    visitor: Visitor, system: Running, lived: str, no_dead_letters_left: None, view: View
) -> None:
    """Nothing is wider than the screen, and axe finds nothing serious, in light and in dark."""
    control = view(visitor, system, lived)
    page = visitor.page
    for scheme in get_args(Scheme):
        for width in WIDTHS:
            visitor.look(width=width, scheme=scheme)
            seen = f"{view.__name__} at {width} px in {scheme}"
            expect(control, seen).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), seen
            assert page.evaluate(OUT_OF_SIGHT) == [], seen
            if (scheme, width) in LOOKED_AT_BY_AXE:
                assert serious_violations(page) == [], seen


def test_a_person_chooses_the_colours_and_finds_them_again(visitor: Visitor) -> None:
    """The choice is kept in the browser, whatever the system prefers."""
    html = visitor.page.locator("html")
    visitor.open("follow")
    expect(html).to_have_attribute("data-theme", "light")
    visitor.press("Use dark colours")
    expect(html).to_have_attribute("data-theme", "dark")
    visitor.page.reload()
    expect(html).to_have_attribute("data-theme", "dark")
    expect(visitor.find("button", "Use light colours")).to_be_visible()


def serious_violations(page: Page) -> list[Mapping[str, Any]]:
    """What axe finds that keeps somebody from using the page: the rule, and each element."""
    return [
        {"rule": each["id"], "where": [node["html"] for node in each["nodes"]]}
        for each in Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        if each["impact"] in {"serious", "critical"}
    ]
