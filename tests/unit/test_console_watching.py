"""How often the console looks at the system: as often as a page could show it."""

from types import SimpleNamespace
from typing import Any

import pytest

from console.live import watching
from console.live.hub import Hub
from console.live.watching import EVERY, UNWATCHED_EVERY, SystemWatch
from runtime.process.shutdown import Stop

LOOP: Any = SimpleNamespace(call_soon_threadsafe=lambda *_: None)


class Clock(Stop):
    """Time that passes in waits alone."""

    now = 0.0

    def wait(self, seconds: float = 0.0) -> bool:
        self.now += seconds
        return self.requested


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(watching, "monotonic", lambda: clock.now)
    return clock


def rested(clock: Clock, hub: Hub, *, look_took: float = 0.25) -> float:
    """Seconds between the starts of two looks."""
    unused: Any = SimpleNamespace()
    watch = SystemWatch(unused, unused, unused, unused, hub, clock)
    started = clock.now
    clock.now += look_took
    watch.rest(started)
    return clock.now - started


def test_a_page_has_a_snapshot_a_second(clock: Clock) -> None:
    """A look that took longer is followed by the next."""
    hub = Hub()
    hub.join(LOOP)
    assert rested(clock, hub) == EVERY
    assert rested(clock, hub, look_took=3.0) == pytest.approx(3.05)


def test_without_a_page_it_looks_seldom(clock: Clock) -> None:
    """Often enough to be ready, and to see what needs attention."""
    assert rested(clock, Hub()) == UNWATCHED_EVERY < watching.STALE


def test_a_page_that_joins_waits_a_second(clock: Clock) -> None:
    """It has the newest snapshot at once, and soon another."""
    hub = Hub()

    class Joined(Clock):
        def wait(self, seconds: float = 0.0) -> bool:
            hub.join(LOOP)
            return clock.wait(seconds)

    unused: Any = SimpleNamespace()
    started = clock.now
    SystemWatch(unused, unused, unused, unused, hub, Joined()).rest(started)
    assert clock.now - started == EVERY
