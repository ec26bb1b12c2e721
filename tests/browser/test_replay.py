"""A replay from the page: what a bus carried comes once more, and changes nothing."""

import re

from playwright.sync_api import expect

from tests.browser.system import Running
from tests.browser.visitor import Visitor

BUS, QUEUE = "payments-event-bus", "stock-payment-cancelled"


def test_a_replay_is_counted_started_watched_to_its_end_and_changes_nothing(
    visitor: Visitor, system: Running, lived: str
) -> None:
    """The preview says what will come, as much comes, and every state is what it was."""
    page = visitor.page
    before = system.states(lived)

    # Given a bus, and a range in which it carried something
    visitor.open("map")
    visitor.go("Replay")
    page.get_by_role("combobox", name="Bus").select_option(BUS)
    visitor.press("Last 15 min")
    expect(visitor.find("textbox", "From")).to_have_value("15m ago")

    # When a person asks what would come
    visitor.press("Preview replay")

    # Then it is counted, by what happened, and nothing is sent yet
    heading = page.get_by_role("heading", name=re.compile(rf"Preview: \d+ events from {BUS}"))
    expect(heading).to_be_focused()
    counted = {
        row.get_by_role("cell").first.inner_text(): row.get_by_role("cell").last.inner_text()
        for row in visitor.find("table", "Events that would be replayed").locator("tbody tr").all()
    }
    assert counted.keys() == {"PaymentCreated", "PaymentCancelled"}  # its archive keeps no others
    expect(page.get_by_text("This console has started none.")).to_be_visible()

    # When it is started
    visitor.press("Start replay")

    # Then its end is told without a reload, and as much has come as was counted
    replay = page.locator(".replays > li").first
    expect(replay.locator(".chip")).to_have_text("● completed")
    for event_type, number in counted.items():
        fact = replay.locator(".facts > div").filter(has_text=event_type)
        expect(fact.locator("dd")).to_have_text(number)

    # And each handler has met its events again, and changed nothing
    visitor.open(f"follow/{lived}")
    expect(page.locator(".step").filter(has_text="replayed").first).to_be_visible()
    visitor.go("Map")
    row = visitor.find("table", "All nodes").get_by_role("row").filter(has_text=QUEUE)
    expect(row.get_by_role("cell").nth(1)).to_have_text("0")
    expect(visitor.find("button", "Nothing needs attention")).to_be_visible()
    assert system.states(lived) == before
