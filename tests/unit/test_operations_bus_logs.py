"""A bus's log is read to its end, page by page, whichever way the pages hang together."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from operations.errors import OperatorError
from operations.sources.bus_logs import BusEvent, Unreadable, parse_line, read_bus

START = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
MILLISECONDS = int(START.timestamp() * 1000)


def a_message(called: str = "a", /, **changes: Any) -> str:
    metadata = {
        "eventId": f"event-{called}",
        "aggregateId": called,
        "sequence": 1,
        "occurredAt": "2026-11-23T09:30:00.123Z",
    }
    envelope = {
        "id": f"envelope-{called}",
        "source": "app.stock",
        "detail-type": "StockAllocated",
        "time": "2026-11-23T09:30:00Z",
        "detail": {"accountNumber": "12345678", "metadata": metadata},
    }
    return json.dumps(envelope | changes)


@dataclass
class Logs:
    """FilterLogEvents over lines in order; with `tokens` as AWS gives them, without as MiniStack.

    A page has `page` lines at most.
    """

    lines: list[tuple[int, str]]
    tokens: bool
    page: int = 3
    calls: list[dict[str, Any]] = field(default_factory=list)

    def get_paginator(self, _: str) -> "Logs":
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        self.calls.append(request)
        wanted = [line for line in self.lines if line[0] >= request["startTime"]]
        for first in range(0, len(wanted) if self.tokens else 1, self.page):
            yield {
                "events": [
                    {"timestamp": when, "message": message, "ingestionTime": when + 5}
                    for when, message in wanted[first : first + self.page]
                ]
            }


def names(logs: Logs) -> list[str]:
    read = read_bus(logs, "stock-event-logs", since=START, page=3)  # type: ignore[arg-type]
    return [each.aggregate_id for each, _ in read if isinstance(each, BusEvent)]


@pytest.mark.parametrize("tokens", [True, False])
@pytest.mark.parametrize("count", [0, 1, 3, 4, 6, 10])
@pytest.mark.parametrize("alike", [1, 2])
def test_every_line_is_read_once(count: int, tokens: bool, alike: int) -> None:
    """MiniStack gives no token past a full page; several lines may share one moment."""
    lines = [(MILLISECONDS + n // alike * 1000, a_message(str(n))) for n in range(count)]

    assert names(Logs(lines, tokens)) == [str(n) for n in range(count)]


def test_more_lines_of_one_moment_than_a_page_has_are_refused_aloud() -> None:
    """Without a token there is no way past them, and leaving some out would call them lost."""
    logs = Logs([(MILLISECONDS, a_message(str(n))) for n in range(4)], tokens=False)

    with pytest.raises(OperatorError, match="stock-event-logs"):
        names(logs)


def test_a_line_becomes_an_event_without_its_payload() -> None:
    """Ids and times are kept, bank details are not."""
    event = parse_line(a_message(**{"replay-name": "again"}), MILLISECONDS, MILLISECONDS + 5)

    assert event == BusEvent(
        event_id="event-a",
        event_type="StockAllocated",
        aggregate_id="a",
        sequence=1,
        occurred_at=START + timedelta(milliseconds=123),
        causation_id=None,
        envelope_id="envelope-a",
        replay_name="again",
        time=START,
        logged_at=START + timedelta(milliseconds=5),
    )
    assert "12345678" not in repr(event)


@pytest.mark.parametrize(
    "message",
    [
        "no JSON",
        "[]",
        "null",
        a_message(detail="text"),
        a_message(detail={}),
        a_message(detail={"metadata": {"eventId": "e", "aggregateId": "a", "sequence": 1}}),
        a_message(**{"detail-type": None}),
        "[" * 100_000,
    ],
)
def test_a_line_that_is_no_event_of_ours_is_told_and_not_thrown(message: str) -> None:
    """One odd line must not end an audit of a hundred thousand."""
    line = parse_line(message, MILLISECONDS, MILLISECONDS)

    assert isinstance(line, Unreadable)
    assert line.time == START


def test_a_search_asks_for_an_id_and_looks_again_itself() -> None:
    """An emulator's filter may let other lines through."""
    logs = Logs([(MILLISECONDS, a_message("a")), (MILLISECONDS, a_message("b"))], tokens=True)

    read = list(read_bus(logs, "stock-event-logs", containing="event-b"))  # type: ignore[arg-type]

    assert [each.aggregate_id for each, _ in read if isinstance(each, BusEvent)] == ["b"]
    assert logs.calls[0]["filterPattern"] == '"event-b"'


@pytest.mark.parametrize(
    "changes",
    [
        {"sequence": float("inf")},
        {"occurredAt": "0001-01-01T00:00:00+14:00"},
        {"causationId": ["a list"]},
        {"eventId": "\x1b[2J"},
        {"aggregateId": "\ud800"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_anybody_can_put_on_a_bus_ends_no_command(changes: dict[str, Any]) -> None:
    """JSON has more than an event can have: such a line is unreadable, and the rest is read."""
    metadata = json.loads(a_message())["detail"]["metadata"] | changes
    message = a_message(detail={"metadata": metadata}).replace("Infinity", "1e999")

    line = parse_line(message, MILLISECONDS, MILLISECONDS)

    assert isinstance(line, Unreadable)
    assert line.envelope_id == "envelope-a"
