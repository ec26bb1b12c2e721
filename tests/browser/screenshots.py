"""Makes the console's pictures in docs/images: `python -m tests.browser.screenshots`.

They are of a real system with real traffic, and of sample data.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

from playwright.sync_api import Browser, expect

from infra.local_system.settings import ROOT
from local.isolation import isolate
from runtime.process.command import complain, run_command
from tests.browser.browser import NoBrowser, chromium
from tests.browser.system import Running, running
from tests.browser.visitor import Visitor, visiting
from verification.testkit.waiting import eventually

IMAGES = ROOT / "docs" / "images"

BETWEEN_ORDERS = 0.15
"""Seconds: a few subscriptions a second, on a laptop."""

ENOUGH_TRAFFIC = 10
"""Events a second, over the last ten seconds."""

TALL = 1310
"""Pixels: the whole map, and the whole of a journey's way out."""


def main() -> int:
    isolate(os.environ, say=complain)
    IMAGES.mkdir(parents=True, exist_ok=True)
    try:
        with (
            TemporaryDirectory(prefix="streamed-") as folder,
            chromium() as browser,
            running(Path(folder)) as system,
        ):
            take_follow(browser, system)
            take_map(browser, system)
            take_dead_letters(browser, system)
    except NoBrowser as reason:
        sys.stderr.write(f"there is no browser: {reason}\n")
        return 1
    return 0


def take_map(browser: Browser, system: Running) -> None:
    """The map under load, with one place in red."""
    system.breaking("poison", queue="stock-payment-cancelled", kind="wrong version")
    with visiting(browser, system.url, is_still=False) as visitor, orders(system):
        visitor.open("map")
        visitor.look(width=1440, height=TALL)
        expect(visitor.node("payment-cancelled-dlq")).to_have_attribute("data-state", "stuck")
        total = visitor.page.locator(".totals dd").first
        eventually(
            lambda: float(total.inner_text()) >= ENOUGH_TRAFFIC,
            timeout=60,
            what=f"{ENOUGH_TRAFFIC} events a second",
            every=0.2,
        )
        take(visitor, "console-map.png")


def take_follow(browser: Browser, system: Running) -> None:
    """A journey, and what its first event says."""
    subscription_id = system.order()
    system.until_settled(subscription_id)
    with visiting(browser, system.url) as visitor:
        visitor.open(f"follow/{subscription_id}")
        visitor.look(width=1440, height=TALL, scheme="dark")
        expect(visitor.page.locator(".bodies details")).to_have_count(3)
        visitor.page.locator(".bodies summary").first.click()
        expect(visitor.page.locator(".bodies [open] pre")).to_be_visible()
        visitor.page.mouse.move(0, 0)
        take(visitor, "console-follow.png")


def take_dead_letters(browser: Browser, system: Running) -> None:
    """Letters of every kind, and what a redrive would do."""
    system.breaking("poison", queue="stock-payment-cancelled", kind="missing field")
    system.breaking("poison", queue="payments-subscription-created", kind="not JSON")
    with visiting(browser, system.url) as visitor:
        visitor.open("dead-letters")
        expect(visitor.verdict()).to_contain_text("3 dead letters in 2 queues")
        visitor.look(width=1440, height=1165)
        queue = visitor.find("region", "payment-cancelled-dlq")
        queue.get_by_role("checkbox", name="Select all").check()
        queue.get_by_role("button", name="Preview redrive").click()
        expect(queue.get_by_role("heading", name="Preview: redrive")).to_be_visible()
        take(visitor, "console-dead-letters.png")


def take(visitor: Visitor, name: str) -> None:
    visitor.page.screenshot(path=IMAGES / name)
    size = (IMAGES / name).stat().st_size
    sys.stdout.write(f"{(IMAGES / name).relative_to(ROOT)}: {size:,} bytes\n")


@contextmanager
def orders(system: Running) -> Iterator[None]:
    """Customers subscribe, and every other one cancels, until the block ends."""
    end = Event()

    def subscribe() -> None:
        while not end.wait(BETWEEN_ORDERS):
            first, second = system.order(), system.order()
            system.until_settled(first)
            system.cancel_payment(first)
            system.until_settled(second)

    customers = Thread(target=subscribe)
    customers.start()
    try:
        yield
    finally:
        end.set()
        customers.join()


if __name__ == "__main__":
    run_command(main)
