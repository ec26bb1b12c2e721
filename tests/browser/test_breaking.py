"""Things are broken from the page, and the page shows that nothing gets lost."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, expect

from tests.browser.system import Running
from tests.browser.visitor import Visitor

QUEUE, DEAD_LETTERS = "stock-payment-cancelled", "payment-cancelled-dlq"


def test_poison_is_seen_explained_redriven_and_in_the_end_dropped(visitor: Visitor) -> None:
    """A person learns what it is, tries it again, sees it come back, and drops it; all is noted."""
    page = visitor.page

    # Given a map on which nothing needs attention
    visitor.open("map")
    expect(visitor.node(DEAD_LETTERS)).to_have_attribute("data-state", "ok")
    expect(visitor.find("button", "Nothing needs attention")).to_be_visible()

    # When poison is sent to a queue
    visitor.go("Break it")
    page.get_by_role("combobox", name="Queue").select_option(QUEUE)
    page.get_by_role("combobox", name="Kind").select_option("not JSON")
    visitor.press("Send poison")
    expect(page.locator(".note")).to_contain_text(f"will set it aside in {DEAD_LETTERS}")

    # Then the map is red where it lies, and leads to it
    visitor.go("Map")
    expect(visitor.node(DEAD_LETTERS)).to_have_attribute("data-state", "stuck")
    visitor.press("▲ 1 needs attention")
    visitor.find("region", "What needs attention").get_by_role("link", name="Read them").click()

    # And it is explained, and can be read
    expect(visitor.verdict()).to_have_text("▲ 1 dead letter in 1 queue")
    queue = visitor.find("region", DEAD_LETTERS)
    expect(queue.locator(".dead-letter-plain")).to_contain_text(
        "stock-consumer could not read it as an event of this system"
    )
    expect(queue.locator(".dead-letter-plain")).to_contain_text("then drop it")
    queue.get_by_text("Attributes and body").click()
    expect(queue.get_by_role("heading", name="Body")).to_be_visible()
    expect(queue).to_contain_text("NotAnEvent")

    # When it is redriven, once it was seen where it would go
    first = the_dead_letter(queue)
    queue.get_by_role("button", name="Preview redrive").click()
    expect(queue.get_by_role("alert")).to_contain_text("Nothing is selected")
    queue.get_by_role("checkbox", name=first).check()
    queue.get_by_role("button", name="Preview redrive").click()
    expect(
        queue.get_by_role("heading", name=f"Preview: redrive to the queue {QUEUE}")
    ).to_be_focused()
    queue.get_by_role("button", name="Redrive 1 dead letter").click()
    expect(queue.get_by_role("heading", name="1 dead letter redriven")).to_be_focused()

    # Then it comes back, being poison: as another message
    expect(queue.get_by_role("checkbox", name=first)).to_have_count(0)
    second = the_dead_letter(queue)
    queue.get_by_role("button", name="Done").click()

    # When it is dropped, which has to be confirmed
    queue.get_by_role("checkbox", name=second).check()
    queue.get_by_role("button", name="Preview drop").click()
    queue.get_by_role("button", name="Drop 1 dead letter").click()
    expect(queue.get_by_role("alert")).to_contain_text("Not confirmed")
    queue.get_by_role("textbox", name="Type drop to confirm").fill("drop")
    queue.get_by_role("button", name="Drop 1 dead letter").click()
    expect(queue.get_by_role("heading", name="1 dead letter dropped")).to_be_focused()
    queue.get_by_role("button", name="Done").click()

    # Then there is none, and both acts are in the audit trail
    expect(visitor.verdict()).to_contain_text("No dead letters")
    rows = visitor.find("table", "Audit trail").locator("tbody tr")
    for row, action, name in ((rows.nth(0), "drop", second), (rows.nth(1), "redrive", first)):
        expect(row.get_by_role("cell", name=action, exact=True)).to_be_visible()
        expect(row.get_by_title(name.split()[-1])).to_be_visible()

    # And the map is as it was
    visitor.go("Map")
    expect(visitor.node(DEAD_LETTERS)).to_have_attribute("data-state", "ok")
    expect(visitor.find("button", "Nothing needs attention")).to_be_visible()


def test_what_is_committed_while_a_relay_is_stopped_is_published_when_it_runs_again(
    visitor: Visitor, system: Running
) -> None:
    """The outbox holds it, the map says who does not run, and then everything happens."""
    page = visitor.page
    visitor.open("break")
    with mended(system):
        # Given a relay that is stopped
        visitor.press("Stop subscriptions-relay")
        expect(visitor.find("button", "Start subscriptions-relay")).to_be_visible()

        # When a subscription is created
        subscription_id = system.order()

        # Then it waits in the outbox, and the page says for what
        expect(in_outbox(visitor)).to_have_text("1")
        visitor.open(f"follow/{subscription_id}")
        expected = page.locator("section").filter(has=visitor.find("heading", "Still expected"))
        expect(expected).to_contain_text("subscriptions-relay has yet to publish it")

        # And the map, soon, that nobody takes it
        visitor.go("Map")
        node = visitor.node("subscriptions-outbox")
        expect(node).to_have_attribute("data-state", "stuck")
        expect(node).to_have_accessible_name(
            re.compile(r"1 waits, and none was taken .* is subscriptions-relay running\?")
        )

        # When the relay runs again
        visitor.go("Break it")
        visitor.press("Start subscriptions-relay")

        # Then nothing was lost
        visitor.open(f"follow/{subscription_id}")
        visitor.sees_all_has_happened()
        visitor.sees_states("active", "allocated", "active")
        visitor.go("Map")
        expect(node).to_have_attribute("data-state", "ok")


def test_what_the_buses_refuse_waits_until_they_accept(visitor: Visitor, system: Running) -> None:
    """A refusal is an outage, and no poison: outboxes hold the events, nothing is dead-lettered."""
    visitor.open("break")
    with mended(system):
        visitor.press("Make the buses refuse")
        expect(visitor.find("button", "Let the buses accept")).to_be_visible()
        subscription_id = system.order()
        expect(in_outbox(visitor)).to_have_text("1")
        visitor.press("Let the buses accept")
        expect(visitor.find("button", "Make the buses refuse")).to_be_visible()
        expect(in_outbox(visitor)).to_have_text("0")
    visitor.open(f"follow/{subscription_id}")
    visitor.sees_all_has_happened()
    expect(visitor.find("button", "Nothing needs attention")).to_be_visible()


def test_every_kind_of_poison_is_explained(visitor: Visitor, system: Running) -> None:
    """Whatever is wrong with a message, it is set aside with a reason in plain words."""
    queue, dlq = "payments-subscription-created", "create-payment-subscription-dlq"
    for kind in ("wrong version", "missing field"):
        system.breaking("poison", queue=queue, kind=kind)
    visitor.open("map")
    visitor.go("Dead letters")
    dead_letters = visitor.find("region", dlq).locator(".dead-letter-plain")
    expect(dead_letters).to_have_count(2)
    for reason in (
        "does not know this type or version of event",
        "could not read a field that it needs",
    ):
        expect(dead_letters.filter(has_text=reason)).to_have_count(1)
    system.drop_all(dlq)


def in_outbox(visitor: Visitor) -> Locator:
    """How many events wait in the subscriptions' outbox."""
    rows = visitor.find("region", "Where everything waits").get_by_role("listitem")
    return rows.filter(has_text="subscriptions-outbox").locator(".strip-number")


def the_dead_letter(queue: Locator) -> str:
    """Wait for the queue to show exactly one; the name of its checkbox ends with its id."""
    boxes = queue.get_by_role("checkbox", name=re.compile("^Select .+-"))
    expect(boxes).to_have_count(1)
    return boxes.get_attribute("aria-label") or ""


@contextmanager
def mended(system: Running) -> Iterator[None]:
    """Whatever the block breaks is whole again after it, even where it fails."""
    try:
        yield
    finally:
        system.breaking("processes/subscriptions-relay", run=True)
        system.breaking("bus", refuse=False)
