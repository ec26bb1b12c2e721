"""A replay of a bus's archive, as EventBridge runs it: start, follow, cancel, count."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from infra.resources import Archive
from operations.environment import Environment
from operations.errors import NoSuchName, OperatorError
from operations.sources.bus_logs import SKEW, BusEvent, read_bus
from operations.sources.routes import log_group_of, log_rule_of
from runtime.aws import error_code, reaching

ENDED = {"COMPLETED", "CANCELLED", "FAILED"}

_NOT_RUNNING = {"IllegalStatusException", "ResourceNotFoundException", "ValidationException"}
"""What CancelReplay answers for a replay that does not run; MiniStack says the last."""


class NoArchive(OperatorError):
    def __init__(self, archive: str, bus: str) -> None:
        super().__init__(
            f"the archive {archive} of {bus} does not exist there: provision it first; it keeps"
            " what is published after that"
        )


class ArchiveForgot(OperatorError):
    def __init__(self, archive: Archive, since: datetime) -> None:
        super().__init__(
            f"{archive.name} keeps {archive.retention_days} days: {since:%Y-%m-%d %H:%M:%S}"
            " is before that"
        )


class RulesIgnored(OperatorError):
    def __init__(self, bus: str) -> None:
        super().__init__(
            "MiniStack ignores a replay's rules, and would send the events to every rule of"
            f" {bus}: leave --rule away"
        )


class TooManyReplays(OperatorError):
    def __init__(self) -> None:
        super().__init__("ten replays run already, which is all that AWS allows: wait for one")


@dataclass(frozen=True)
class Request:
    """What to replay: the events of `bus` from `since` to `until`, to `rules` (none: to all).

    EventBridge takes whole seconds, so both ends are taken a little wider.
    """

    bus: str
    archive: Archive
    since: datetime
    until: datetime
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """`reached` is the time of the event that was replayed last, where EventBridge says so."""

    state: str
    reason: str
    reached: datetime | None

    @property
    def ended(self) -> bool:
        return self.state in ENDED


def request_of(
    environment: Environment,
    bus: str,
    span: tuple[datetime, datetime],
    rules: Sequence[str],
    *,
    now: datetime,
) -> Request:
    """Check a wish against the topology; raises NoSuchName, ArchiveForgot, RulesIgnored."""
    since, until = span
    buses = [each.name for each in environment.topology.buses]
    if bus not in buses:
        raise NoSuchName("bus", bus, buses)
    known = [rule.name for rule in environment.topology.rules if rule.bus == bus]
    for rule in rules:
        if rule not in known:
            raise NoSuchName(f"rule on {bus}", rule, known)
    (archive,) = (each for each in environment.topology.archives if each.bus == bus)
    if archive.retention_days and since < now - timedelta(days=archive.retention_days):
        raise ArchiveForgot(archive, since)
    if rules and environment.emulated:
        raise RulesIgnored(bus)
    return Request(bus, archive, since, min(until, now), tuple(dict.fromkeys(rules)))


class Replay:
    """One replay. Every method raises Unavailable."""

    def __init__(self, environment: Environment, request: Request) -> None:
        domain = environment.topology.domain_of_bus(request.bus)
        self._events = environment.aws(domain).client("events")
        self._logs = environment.aws(domain).client("logs")
        self._environment, self._request = environment, request
        self.name = f"streamed-{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid4().hex[:6]}"

    def start(self) -> None:
        """Have EventBridge start; raises NoArchive, TooManyReplays.

        The bus's log gets it as well, whichever rules were chosen: what was on a bus is in it.
        """
        request = self._request
        archive = self._arn_of_archive()
        destination: Any = {"Arn": self._arn_of_bus()}
        if request.rules:
            chosen = {*request.rules, log_rule_of(request.bus, self._environment.topology)}
            destination["FilterArns"] = [self._arn_of_rule(rule) for rule in sorted(chosen)]
        since, until = math.floor(request.since.timestamp()), math.ceil(request.until.timestamp())
        with reaching("EventBridge"):
            try:
                self._events.start_replay(
                    ReplayName=self.name,
                    EventSourceArn=archive,
                    EventStartTime=datetime.fromtimestamp(since, UTC),
                    EventEndTime=datetime.fromtimestamp(until, UTC),
                    Destination=destination,
                )
            except self._events.exceptions.LimitExceededException:
                raise TooManyReplays from None

    def progress(self) -> Progress:
        with reaching("EventBridge"):
            answer = self._events.describe_replay(ReplayName=self.name)
        return Progress(
            answer["State"], answer.get("StateReason", ""), answer.get("EventLastReplayedTime")
        )

    def cancel(self) -> None:
        """Stop it; one that has ended, or never began, stays as it is."""
        with reaching("EventBridge"):
            try:
                self._events.cancel_replay(ReplayName=self.name)
            except ClientError as error:
                if error_code(error) not in _NOT_RUNNING:
                    raise

    def came(self) -> Counter[str]:
        """Count the replayed events in the bus's log so far, by type; lines come with a delay."""
        return Counter(line.event_type for line in self._lines() if line.replay_name == self.name)

    def _lines(self) -> Iterator[BusEvent]:
        group = log_group_of(self._request.bus, self._environment.topology)
        since = self._request.since - SKEW
        for line in read_bus(self._logs, group, since=since, containing=self.name):
            if isinstance(line, BusEvent):
                yield line

    def _arn_of_archive(self) -> str:
        name = self._request.archive.name
        with reaching("EventBridge"):
            try:
                return self._events.describe_archive(ArchiveName=name)["ArchiveArn"]
            except self._events.exceptions.ResourceNotFoundException:
                raise NoArchive(name, self._request.bus) from None

    def _arn_of_bus(self) -> str:
        with reaching("EventBridge"):
            return self._events.describe_event_bus(Name=self._request.bus)["Arn"]

    def _arn_of_rule(self, rule: str) -> str:
        with reaching("EventBridge"):
            return self._events.describe_rule(Name=rule, EventBusName=self._request.bus)["Arn"]


def would_come(environment: Environment, request: Request) -> Counter[str]:
    """Count, by type, what the bus's log has of a range; events that a replay brought left out."""
    domain = environment.topology.domain_of_bus(request.bus)
    lines = read_bus(
        environment.aws(domain).client("logs"),
        log_group_of(request.bus, environment.topology),
        since=request.since,
        until=request.until,
    )
    return Counter(
        line.event_type for line in lines if isinstance(line, BusEvent) and line.replay_name is None
    )
