"""What was on a bus, from its log group: one line is one event, as EventBridge had it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from contracts.first_version import is_of_first_version, upcast
from contracts.timestamps import parse_timestamp
from operations.environment import Environment
from operations.errors import OperatorError
from operations.sources.ledger import EventKey
from operations.sources.routes import ROUTED_BY, log_group_of
from runtime.aws import asking

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

PAGE = 10_000
"""Lines that one FilterLogEvents returns at most (a page is also at most 1 MB): its own quota.

`page` is an argument for tests."""


SKEW = timedelta(minutes=5)
"""How far the clocks of two machines may differ, and how much a line's whole second cuts off."""


@dataclass(frozen=True, slots=True)
class BusEvent:
    """An event as a bus had it, without its payload: that holds bank details.

    `envelope_id` is EventBridge's, new each time it is published; `replay_name` is of the replay
    that brought it. `time` is the envelope's, `logged_at` when the line was written. One of the
    first version was committed by no outbox of this system. `routed_by` has what rules choose by.
    """

    event_id: str
    event_type: str
    aggregate_id: str
    sequence: int
    occurred_at: datetime
    causation_id: str | None
    envelope_id: str
    replay_name: str | None
    time: datetime
    logged_at: datetime
    is_of_first_version: bool = field(default=False, kw_only=True)
    routed_by: Mapping[str, object] = field(default_factory=dict, kw_only=True)

    @property
    def key(self) -> EventKey:
        return EventKey(self.event_type, self.aggregate_id, self.sequence)

    @property
    def at(self) -> datetime:
        """When it was on the bus. Its time may be cut to seconds, but it happened before that."""
        return self.logged_at if self.replay_name else max(self.time, self.occurred_at)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that is not this system's event; `source` is who put it there, if it says so."""

    envelope_id: str
    source: str
    time: datetime
    reason: str


def read_bus(
    logs: "CloudWatchLogsClient",
    group: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    containing: str | None = None,
    page: int = PAGE,
) -> Iterator[tuple[BusEvent | Unreadable, str]]:
    """Stream a log group's lines, in order of their time; raises Unavailable, OperatorError.

    Each is with its text, which holds bank details. A line's time is its event's: on AWS when it
    happened, on MiniStack when it was published. `containing` is an id; a page at a time is in
    memory.
    """
    request: dict[str, Any] = {"logGroupName": group}
    if until is not None:
        request["endTime"] = _milliseconds(until)
    if containing is not None:
        request["filterPattern"] = f'"{containing}"'
    for line in _lines(logs, request, _milliseconds(since) if since else 0, page):
        message = line["message"]
        if containing is None or containing in message:
            yield parse_line(message, line["timestamp"], line["ingestionTime"]), message


def log_of(environment: Environment, bus: str) -> tuple["CloudWatchLogsClient", str]:
    """Where a bus's log is: a client for its domain's account, and the log group's name."""
    topology = environment.topology
    logs = environment.aws(topology.domain_of_bus(bus)).client("logs")
    return logs, log_group_of(bus, topology)


def parse_line(message: str, timestamp: int, ingested: int) -> BusEvent | Unreadable:
    """Read one line; `timestamp` and `ingested` are milliseconds since 1970."""
    time = _moment(timestamp)
    envelope: Any = None
    try:
        envelope = json.loads(message)
        event_type, detail = _text(envelope["detail-type"]), envelope["detail"]
        metadata = upcast(_text(envelope["id"]), event_type, detail)["metadata"]
        event = BusEvent(
            event_id=_text(metadata["eventId"]),
            event_type=event_type,
            aggregate_id=_text(metadata["aggregateId"]),
            sequence=int(metadata["sequence"]),
            occurred_at=parse_timestamp(metadata["occurredAt"]).astimezone(UTC),
            causation_id=_text_or_none(metadata.get("causationId")),
            envelope_id=_text(envelope["id"]),
            replay_name=_text_or_none(envelope.get("replay-name")),
            time=time,
            logged_at=_moment(ingested),
            is_of_first_version=is_of_first_version(event_type, detail),
            routed_by={name: detail[name] for name in ROUTED_BY if name in detail},
        )
    except (
        ArithmeticError,  # 1e999 is JSON, and the year 1 has moments that UTC has no name for
        AttributeError,
        KeyError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        known = envelope if isinstance(envelope, dict) else {}
        return Unreadable(
            envelope_id=ascii(known.get("id", "without an id")).strip("'"),
            source=str(known.get("source", "")),
            time=time,
            reason=f"{type(error).__name__} while reading its metadata",
        )
    return event


def _lines(
    logs: "CloudWatchLogsClient", request: dict[str, Any], position: int, limit: int
) -> Iterator[dict[str, Any]]:
    """Yield lines from `position` (milliseconds) on.

    MiniStack gives no token for what is beyond the first page: a full page without one is gone on
    from at its last line's time, past as many lines of that time as were seen.
    """
    seen = 0  # lines at `position` that were yielded already
    while True:
        skip, count, advanced = seen, 0, False
        page: Any = {}
        for page in _pages(logs, {**request, "startTime": position, "limit": limit}):
            count = len(page["events"])
            for line in page["events"]:
                if line["timestamp"] == position and skip:
                    skip -= 1
                    continue
                advanced = True
                if line["timestamp"] != position:
                    position, seen = line["timestamp"], 0
                seen += 1
                yield line
        if count < limit:
            return
        if not advanced:
            raise OperatorError(
                f"{request['logGroupName']} has more than {limit} lines of"
                f" {_moment(position).isoformat()}, more than this log service gives out for one"
                " moment: choose a range without it"
            )


def _pages(logs: "CloudWatchLogsClient", request: dict[str, Any]) -> Iterator[Any]:
    with asking("CloudWatch Logs"):
        yield from logs.get_paginator("filter_log_events").paginate(**request)


def _text(value: object) -> str:
    """Read a name; what steers a terminal is none."""
    if not isinstance(value, str):
        raise TypeError
    if not value.isprintable():
        raise ValueError
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
