"""What happens, handed to every page that listens, and to a slow one only what is new."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

import pytest

from console.live.hub import EVENTS_A_SECOND, KEPT_EVENTS, KEPT_MESSAGES, MOST_PAGES, Full, Hub
from tests.console import Seconds


def on_a_loop(scene: Callable[[], Coroutine[None, None, None]]) -> Callable[[], None]:
    """Run a test as the console's routes are run."""
    return wraps(scene)(lambda: asyncio.run(scene()))


def data_of(messages: list[bytes]) -> list[dict[str, object]]:
    return [json.loads(each.split(b"data: ")[1]) for each in messages]


@on_a_loop
async def test_a_slow_page_gets_the_newest_snapshot_only() -> None:
    """Ten looks at a system that nobody read are one, the last."""
    hub = Hub()
    page = hub.join(asyncio.get_running_loop())
    for number in range(10):
        hub.snapshot({"number": number})
    assert data_of(await page.take(5)) == [{"number": 9}]


@on_a_loop
async def test_a_new_page_begins_with_the_newest_snapshot() -> None:
    """It does not wait for the next one."""
    hub = Hub()
    hub.snapshot({"number": 1})
    (message,) = await hub.join(asyncio.get_running_loop()).take(5)
    assert message.startswith(b"id: 1\nevent: snapshot\ndata: ")
    assert message.endswith(b"\n\n")


@on_a_loop
async def test_a_new_page_begins_with_the_events_that_have_passed() -> None:
    """The newest, oldest first, though no page listened then."""
    clock = Seconds()
    hub = Hub(clock)
    for number in range(KEPT_EVENTS + 20):
        clock.now += 1
        hub.event(lambda number=number: {"number": number})  # type: ignore[misc]
    (message,) = await hub.join(asyncio.get_running_loop()).take(5)
    assert b"\nevent: past\n" in message
    past: Any = data_of([message])[0]
    assert past == [{"number": number} for number in range(20, KEPT_EVENTS + 20)]


@on_a_loop
async def test_no_more_events_are_shown_than_a_person_can_see() -> None:
    """The others are not even written; the next second shows some again."""
    clock = Seconds()
    hub = Hub(clock)
    page = hub.join(asyncio.get_running_loop())
    for number in range(1_000):
        hub.event(lambda number=number: {"number": number})  # type: ignore[misc]
    assert len(await page.take(5)) == EVENTS_A_SECOND
    clock.now += 1
    hub.event(lambda: {"number": -1})
    assert data_of(await page.take(5)) == [{"number": -1}]


@on_a_loop
async def test_what_waits_for_a_slow_page_is_bounded() -> None:
    """The oldest are dropped."""
    hub = Hub()
    page = hub.join(asyncio.get_running_loop())
    for number in range(KEPT_MESSAGES * 3):
        hub.say("replay", {"number": number})
    found = data_of(await page.take(5))
    assert len(found) == KEPT_MESSAGES
    assert found[-1] == {"number": KEPT_MESSAGES * 3 - 1}


@on_a_loop
async def test_so_many_pages_and_no_more() -> None:
    """One that leaves makes room."""
    hub, loop = Hub(), asyncio.get_running_loop()
    pages = [hub.join(loop) for _ in range(MOST_PAGES)]
    with pytest.raises(Full, match="close one"):
        hub.join(loop)
    hub.leave(pages[0])
    assert hub.join(loop)


@on_a_loop
async def test_a_stop_lets_every_page_go() -> None:
    """One that waits wakes; one that comes later is not kept."""
    hub, loop = Hub(), asyncio.get_running_loop()
    page = hub.join(loop)
    waits = asyncio.create_task(page.take(60))
    await asyncio.sleep(0)
    hub.close()
    assert await asyncio.wait_for(waits, 5) == []
    assert page.closed
    assert hub.join(loop).closed
