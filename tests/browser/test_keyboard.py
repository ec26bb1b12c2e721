"""The main path without a mouse."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.visitor import Visitor

MOST_STEPS = 60
"""Presses of Tab from one control of a view to any other."""

IS_SEEN = """
() => {
  const {outlineStyle, outlineWidth} = getComputedStyle(document.activeElement);
  const {top, bottom} = document.activeElement.getBoundingClientRect();
  const drawn = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  return drawn && bottom > 0 && top < innerHeight;
}
"""
"""Whether a ring is drawn around what has the focus, and it is on the screen."""


def test_a_subscription_is_created_followed_and_cancelled_by_keyboard_alone(
    visitor: Visitor,
) -> None:
    """Tab, Enter and letters lead from the page's load to the end; the focus is always seen."""
    page, keys = visitor.page, visitor.page.keyboard

    # Given a page that was just loaded, whose first stop leads past its head
    visitor.open("map")
    tab_to(page, visitor.find("link", "Skip to the content"))
    keys.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    keys.press("Shift+Tab")

    # When a person goes to the form, types a name and sends it
    tab_to(page, visitor.find("link", "Try it"), key="Shift+Tab")
    keys.press("Enter")
    expect(visitor.find("heading", "Try it")).to_be_visible()
    tab_to(page, visitor.find("textbox", "First name"))
    keys.type("Katherine")
    keys.press("Enter")

    # Then the answer is one step away, and leads to the journey
    wire = visitor.find("region", "Create a subscription: what went over the wire")
    expect(wire).to_contain_text('"customerFirstName": "Katherine"')
    tab_to(page, visitor.find("link", "Follow it"))
    keys.press("Enter")
    visitor.sees_all_has_happened()
    visitor.sees_states("active", "allocated", "active")

    # When they cancel its payment
    tab_to(page, visitor.find("link", "Cancel its payment"))
    keys.press("Enter")
    tab_to(page, visitor.find("button", "Cancel payment"))
    keys.press("Space")
    tab_to(page, visitor.find("link", "Follow it"))
    keys.press("Enter")

    # Then everything ends
    visitor.sees_states("cancelled", "deallocated", "cancelled")
    visitor.sees_all_has_happened()


def test_a_place_of_the_map_opens_and_closes_by_keyboard(visitor: Visitor) -> None:
    """Enter shows more of a node, Escape returns to it."""
    visitor.open("map")
    node = visitor.node("stock-event-bus")
    tab_to(visitor.page, node)
    visitor.page.keyboard.press("Enter")
    details = visitor.find("region", "Details of a node")
    expect(details.get_by_role("heading", name="stock-event-bus")).to_be_focused()
    visitor.page.keyboard.press("Escape")
    expect(details).to_be_hidden()
    expect(node).to_be_focused()


def tab_to(page: Page, control: Locator, *, key: str = "Tab") -> None:
    """Press Tab until a control has the focus; whatever has it on the way must be seen to."""
    expect(control).to_be_visible()
    for _ in range(MOST_STEPS):
        page.keyboard.press(key)
        focused = page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        assert page.evaluate(IS_SEEN), f"the focus is not seen: {focused}"
        if control.evaluate("each => each === document.activeElement"):
            return
    raise AssertionError(f"not reached with {MOST_STEPS} times {key}: {control}")


def test_the_fields_of_an_event_are_found_by_keyboard(visitor: Visitor) -> None:
    """On the page of events: a link of its contents, then the fold behind it."""
    visitor.page.goto(f"{visitor.url}/asyncapi")
    visitor.page.locator(".contents").get_by_role("link", name="StockAllocated").press("Enter")
    article = visitor.find("article", "StockAllocated")
    article.locator("summary").first.press("Enter")
    expect(article.get_by_text("metadata.eventId")).to_be_visible()
