"""A subscription there and back, from the page alone."""

import json
import shlex

from playwright.sync_api import Page, expect

from infra.local_system.addresses import addresses
from tests.browser.system import Running
from tests.browser.visitor import Visitor

ACCOUNT = "31415926"


def test_a_subscription_is_created_followed_and_ended_by_cancelling_its_payment(
    visitor: Visitor, system: Running
) -> None:
    """The forms show what goes over the wire, and the timeline every hop until nothing is due."""
    page = visitor.page

    # Given a form that says beforehand what it will send
    visitor.open("map")
    visitor.go("Try it")
    visitor.find("textbox", "Account number").fill(ACCOUNT)
    create = visitor.find("region", "Create a subscription")
    curl = create.locator("pre").first
    url = f"{addresses(system.settings)['subscription']}/subscriptions"
    expect(curl).to_contain_text(url)
    *_, announced = shlex.split(curl.inner_text())

    # When it is sent
    visitor.press("Create subscription")

    # Then the exact request and its response are shown
    wire = visitor.find("region", "Create a subscription: what went over the wire")
    expect(wire).to_contain_text("201 Created")
    expect(wire).to_contain_text(f"POST {url}")
    _, sent, _, received = wire.locator("pre:visible").all_inner_texts()
    assert sent == announced
    assert json.loads(sent)["accountNumber"] == ACCOUNT
    subscription_id = json.loads(received)["subscriptionId"]

    # And everything that follows from it can be followed, in all three services
    wire.get_by_role("link", name="Follow it").click()
    visitor.sees_states("active", "allocated", "active")
    visitor.sees_all_has_happened()
    expect_timeline(page, "SubscriptionCreated", "StockAllocated", "PaymentCreated")

    # When its payment is cancelled
    visitor.find("link", "Cancel its payment").click()
    expect(visitor.find("textbox", "Payment id")).to_have_value(subscription_id)
    visitor.press("Cancel payment")
    wire = visitor.find("region", "Cancel a payment: what went over the wire")
    expect(wire).to_contain_text("200 OK")
    expect(wire).to_contain_text("PATCH ")
    wire.get_by_role("link", name="Follow it").click()

    # Then the stock goes back and the subscription ends, and nothing more is due
    visitor.sees_states("cancelled", "deallocated", "cancelled")
    visitor.sees_all_has_happened()
    expect_timeline(page, "PaymentCancelled", "StockDeallocated", "SubscriptionCancelled")

    # And no event, opened, shows whose account it is
    events = page.locator(".bodies details")
    expect(events).to_have_count(6)
    for fold in page.locator("main summary").all():
        fold.click()
    expect(page.locator(".bodies")).to_contain_text('"bankDetails": "***"')
    assert ACCOUNT not in page.content()


def test_a_customer_cancels_and_is_erased(visitor: Visitor, system: Running) -> None:
    """The story is whole without a third party; erased, it says so and asks for nothing more."""
    # Given a subscription that is set up
    subscription_id = system.order()
    system.until_settled(subscription_id)

    # When it is cancelled from the page
    visitor.open(f"try/{subscription_id}")
    visitor.press("Cancel subscription")
    wire = visitor.find("region", "Cancel a subscription: what went over the wire")
    expect(wire).to_contain_text("200 OK")
    wire.get_by_role("link", name="Follow it").click()

    # Then payments and stock follow
    visitor.sees_states("cancelled", "deallocated", "cancelled")
    visitor.sees_all_has_happened()
    expect_timeline(visitor.page, "SubscriptionCancelled", "PaymentCancelled", "StockDeallocated")

    # And when it is erased, nothing is missing
    system.erase(subscription_id)
    visitor.sees_states("erased", "deallocated", "cancelled")
    visitor.sees_all_has_happened()


def test_the_map_lists_what_passed_before_it_was_opened(visitor: Visitor, lived: str) -> None:
    """The console saw it: the list is not empty while the numbers above it say otherwise."""
    visitor.open("map")
    link = visitor.page.get_by_title(f"Follow {lived}")
    expect(
        visitor.find("table", "Latest events").get_by_role("row").filter(has=link).first
    ).to_be_visible()


def test_what_the_api_refuses_is_shown_as_it_was_answered(visitor: Visitor) -> None:
    """A wrong value is sent as it was typed, and the API's problem says which and why."""
    visitor.open("try")
    visitor.page.get_by_role("spinbutton", name="Quantity").fill("11")
    visitor.press("Create subscription")
    wire = visitor.find("region", "Create a subscription: what went over the wire")
    expect(wire).to_contain_text("422 ")
    expect(wire).to_contain_text("quantity")
    expect(wire.get_by_role("link", name="Follow it")).to_have_count(0)


def test_a_journey_is_seen_on_the_map_as_it_happens(visitor: Visitor, system: Running) -> None:
    """The feed names each event on each bus, without a reload, and leads to its subscription."""
    visitor.open("map")
    expect(visitor.find("heading", "What the system is doing")).to_be_visible()
    subscription_id = system.order()
    rows = visitor.find("table", "Latest events").get_by_role("row")
    link = visitor.page.get_by_title(f"Follow {subscription_id}")
    for event_type, bus in (
        ("SubscriptionCreated", "subscriptions-event-bus"),
        ("SubscriptionCreated", "stock-event-bus"),
        ("StockAllocated", "stock-event-bus"),
        ("PaymentCreated", "payments-event-bus"),
    ):
        seen = rows.filter(has=link).filter(has_text=event_type).filter(has_text=bus)
        expect(seen.first).to_be_visible()
    link.first.click()
    visitor.sees_all_has_happened()


def expect_timeline(page: Page, *event_types: str) -> None:
    """Each event was committed, and then published."""
    steps = page.get_by_role("list", name="Timeline of").locator(".step")
    for event_type in event_types:
        for kind in ("committed", "published"):
            expect(steps.filter(has_text=f"{event_type} {kind}").first).to_be_visible()
